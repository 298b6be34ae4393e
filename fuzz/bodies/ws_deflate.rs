//! Compressed messages from anybody: the same however the input is cut and however little is inflated at a time.

use hopwire::ws::Config;

use super::driver::{Inflation, Player, Told, server};
use super::{Prng, feeds};

pub fn run(data: &[u8]) {
    let takeover = Prng::of(data).below(3) > 0;
    let config = Config { compression: true, max_message: 20_000, ..Config::new() };
    let whole = play(&[data], config, takeover, 1 << 16);
    for pieces in feeds(data) {
        assert_eq!(play(&pieces, config, takeover, 4 + data.len() % 29), whole);
    }
}

fn play(pieces: &[&[u8]], config: Config, takeover: bool, room: usize) -> Told {
    let player = Player::inflating(300, Inflation::new(config, takeover, room));
    player.play(&mut server(config), pieces.iter().copied(), false)
}
