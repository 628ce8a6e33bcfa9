//! CloudWatch's metric math, as far as our alarms use it: numbers, names, `+ - * /`, comparisons and `IF`.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::vec::IntoIter;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Sign(String),
}

/// The value of an expression; none where a metric that it names has no data. Panics where it can't be read.
pub fn value(expression: &str, metrics: &BTreeMap<String, Option<f64>>) -> Option<f64> {
    let mut reader = Reader { tokens: tokens(expression).into_iter().peekable(), metrics };
    let value = reader.comparison();
    assert_eq!(reader.tokens.next(), None, "the end of {expression}");
    value
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = |belongs: fn(char) -> bool| rest.find(|sign| !belongs(sign)).unwrap_or(rest.len());
        let taken = match first {
            '0'..='9' => length(|sign| sign.is_ascii_digit() || sign == '.'),
            'a'..='z' | 'A'..='Z' => length(|sign| sign.is_ascii_alphanumeric() || sign == '_'),
            '>' | '<' => length(|sign| "><=".contains(sign)),
            _ => 1,
        };
        let (text, after) = rest.split_at(taken);
        tokens.push(match first {
            '0'..='9' => Token::Number(text.parse().unwrap()),
            'a'..='z' | 'A'..='Z' => Token::Name(text.to_owned()),
            _ => Token::Sign(text.to_owned()),
        });
        rest = after.trim_start();
    }
    tokens
}

struct Reader<'a> {
    tokens: Peekable<IntoIter<Token>>,
    metrics: &'a BTreeMap<String, Option<f64>>,
}

impl Reader<'_> {
    fn sign(&mut self, wanted: &[&str]) -> Option<String> {
        let found = matches!(self.tokens.peek(), Some(Token::Sign(sign)) if wanted.contains(&sign.as_str()));
        match found.then(|| self.tokens.next()).flatten() {
            Some(Token::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    /// 1 or 0.
    fn comparison(&mut self) -> Option<f64> {
        let left = self.sum();
        let Some(sign) = self.sign(&[">", ">=", "<", "<="]) else { return left };
        let (left, right) = (left, self.sum());
        let (left, right) = left.zip(right)?;
        let holds = match sign.as_str() {
            ">" => left > right,
            ">=" => left >= right,
            "<" => left < right,
            _ => left <= right,
        };
        Some(f64::from(u8::from(holds)))
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product();
        while let Some(sign) = self.sign(&["+", "-"]) {
            let right = self.product();
            value = value.zip(right).map(|(left, right)| if sign == "+" { left + right } else { left - right });
        }
        value
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.factor();
        while let Some(sign) = self.sign(&["*", "/"]) {
            let right = self.factor();
            value = value.zip(right).map(|(left, right)| if sign == "*" { left * right } else { left / right });
        }
        value
    }

    fn factor(&mut self) -> Option<f64> {
        match self.tokens.next() {
            Some(Token::Number(number)) => Some(number),
            Some(Token::Name(name)) if name == "IF" => self.choice(),
            Some(Token::Name(name)) => *self
                .metrics
                .get(&name)
                .unwrap_or_else(|| panic!("an expression names {name}, which is no metric of it")),
            Some(Token::Sign(sign)) if sign == "(" => {
                let value = self.comparison();
                self.expect(")");
                value
            }
            other => panic!("{other:?} in an expression"),
        }
    }

    /// `IF(condition, value, otherwise)`
    fn choice(&mut self) -> Option<f64> {
        self.expect("(");
        let condition = self.comparison();
        self.expect(",");
        let value = self.comparison();
        self.expect(",");
        let otherwise = self.comparison();
        self.expect(")");
        if condition? == 0.0 { otherwise } else { value }
    }

    fn expect(&mut self, sign: &str) {
        assert!(self.sign(&[sign]).is_some(), "{sign} is missing in an expression");
    }
}

#[test]
fn expressions_come_to_what_cloudwatch_makes_of_them() {
    let metrics = [("errors", Some(3.0)), ("requests", Some(40.0)), ("nothing", None)];
    let metrics: BTreeMap<_, _> = metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for (expression, expected) in [
        ("IF(errors >= 3, 100 * errors / requests, 0)", Some(7.5)),
        ("IF(errors > 3, 100 * errors / requests, 0)", Some(0.0)),
        ("IF(requests >= 10, 100 * errors / requests - 30, 0)", Some(-22.5)),
        ("2 * (errors + 1.5)", Some(9.0)),
        ("IF(nothing >= 3, 1, 0)", None),
        ("errors / nothing", None),
    ] {
        assert_eq!(value(expression, &metrics), expected, "{expression}");
    }
}
