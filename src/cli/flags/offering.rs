//! A parser of values that also offers some for completion.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, Str, TypedValueParser};
use clap::{Arg, Command, Error};

/// Parses values as `parser` does, and offers values to complete. These need not be all that it
/// accepts, so flags hide them in their help (`hide_possible_values`).
#[derive(Clone)]
pub(in crate::cli) struct Offering<P, V> {
    parser: P,
    values: fn() -> Vec<V>,
}

impl<P, V> Offering<P, V> {
    /// Creates a parser that offers these values.
    pub(in crate::cli) fn new(parser: P, values: fn() -> Vec<V>) -> Self {
        Offering { parser, values }
    }
}

impl<P, V> TypedValueParser for Offering<P, V>
where
    P: TypedValueParser,
    V: Into<Str> + Clone + Send + Sync + 'static,
{
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.values)().into_iter().map(PossibleValue::new)))
    }
}
