//! A small, strict JSON reader (RFC 8259) for the vectors: one value, whole numbers only, no repeated keys.

/// One JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(i128),
    String(String),
    Array(Vec<Self>),
    /// Members in their order.
    Object(Vec<(String, Self)>),
}

impl Value {
    /// Reads exactly one value; the error says what is wrong at which byte.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0).and_then(|value| {
            reader.space();
            if reader.at == text.len() { Ok(value) } else { Err("something follows the value") }
        });
        value.map_err(|what| format!("byte {}: {what}", reader.at))
    }

    /// The member `key` of an object; `None` where there is none, it is null, or this is no object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let found = self.members().iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value).filter(|&value| *value != Self::Null)
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements of an array; none of anything else.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(value) => i64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// A number that is an unsigned `T`.
    pub fn as_num<T: TryFrom<i128>>(&self) -> Option<T> {
        match self {
            Self::Number(value) => T::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The text member `key`, or "".
    pub fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Self::as_str).unwrap_or("")
    }

    /// Whether the member `key` is `true`.
    pub fn is_true(&self, key: &str) -> bool {
        self.get(key).and_then(Self::as_bool) == Some(true)
    }

    /// The number member `key`.
    pub fn num<T: TryFrom<i128>>(&self, key: &str) -> Option<T> {
        self.get(key).and_then(Self::as_num)
    }

    /// The bytes that the member `key` spells in hex.
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.get(key).and_then(Self::as_str).map(super::unhex)
    }
}

type Fault = &'static str;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        if depth > MAX_DEPTH {
            return Err("nested too deep");
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        self.at += 1;
        let mut members: Vec<(String, Value)> = Vec::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            if members.iter().any(|(other, _)| *other == name) {
                return Err("a repeated key");
            }
            self.space();
            if !self.eat(b':') {
                return Err("expected ':'");
            }
            members.push((name, self.value(depth + 1)?));
            self.space();
            if self.eat(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(b',') {
                return Err("expected ',' or '}'");
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err("expected ',' or ']'");
            }
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        if !self.eat(b'"') {
            return Err("expected '\"'");
        }
        let mut out = String::new();
        loop {
            let Some(c) = self.text[self.at..].chars().next() else { return Err("an open string") };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                '\0'..='\x1f' => return Err("a control character in a string"),
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let Some(kind) = self.peek() else { return Err("an open string") };
        self.at += 1;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first).ok_or("a lone surrogate");
                }
                if !(self.eat(b'\\') && self.eat(b'u')) {
                    return Err("a lone surrogate");
                }
                let second = self.unit()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err("a lone surrogate");
                }
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or("no scalar value");
            }
            _ => return Err("an unknown escape"),
        })
    }

    /// Four hex digits.
    fn unit(&mut self) -> Result<u32, Fault> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err("expected four hex digits");
            };
            self.at += 1;
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        self.eat(b'-');
        let digits = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let text = &self.text[digits..self.at];
        if text.is_empty() || (text.len() > 1 && text.starts_with('0')) {
            return Err("not a number");
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err("not a whole number");
        }
        self.text[start..self.at].parse().map(Value::Number).map_err(|_| "a number past 128 bits")
    }

    fn word(&mut self) -> Result<Value, Fault> {
        for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err("expected a value")
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }
}

const MAX_DEPTH: usize = 64;

#[test]
fn reads_what_json_is_and_nothing_else() {
    let value = Value::parse(" { \"a\" : [1, -2, true, null, \"x\\u00e9\\ud83d\\ude00\\n\"] , \"b\":{} } ").unwrap();
    assert_eq!(value.get("a").unwrap().items().len(), 5);
    assert_eq!(value.get("a").unwrap().items()[4].as_str(), Some("x\u{e9}\u{1f600}\n"));
    assert_eq!(value.get("a").unwrap().items()[1].as_i64(), Some(-2));
    assert_eq!((value.get("b").unwrap().members(), value.get("c")), ([].as_slice(), None));
    for bad in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "01",
        "1.5",
        "1e3",
        "-",
        "+1",
        "nul",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"a",
        "\"\n\"",
        "1 2",
        "{\"a\":1,\"a\":2}",
        "\"\\udc00\"",
        "\"\\u12g4\"",
        "170141183460469231731687303715884105728",
        "[",
        "{a:1}",
        "\u{feff}1",
    ] {
        assert!(Value::parse(bad).is_err(), "{bad:?}");
    }
}
