//! RFC 9110: what HTTP means, in any version.
//!
//! Looking for a request's method? [`Method`]. For a status and its phrase? [`Status`]. For header or trailer fields?
//! [`Fields`]. For the elements and parameters of a field value? [`list`]. For what a proxy must not pass on? [`hop`].
//! For all that a proxy does to a message? [`forward`].
//! For dates? [`HttpDate`].

mod date;
mod fields;
pub mod forward;
pub mod hop;
pub mod list;
mod method;
mod status;
mod version;

pub use date::HttpDate;
pub use fields::{Field, Fields, FieldsIter};
pub(crate) use fields::{is_name, trim};
pub use method::Method;
pub use status::Status;
pub use version::Version;
