//! Which prefix stands for which namespace at a place in a document (Namespaces in XML 1.0).

use super::namespace::Namespace;

/// The namespace that the prefix `xml` has without a declaration.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations, which no prefix may have.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// The declarations of the elements that are open, those of inner elements behind those of outer ones.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    bindings: Vec<Binding<'a>>,
    most: usize,
}

#[derive(Debug)]
struct Binding<'a> {
    /// Empty for the default namespace.
    prefix: &'a str,
    namespace: Namespace,
    /// Elements open around the one that declares it.
    depth: usize,
}

impl<'a> Scope<'a> {
    /// No declarations; `most` may be in force at one time.
    pub(super) fn new(most: usize) -> Self {
        Self { bindings: Vec::with_capacity(8), most }
    }

    /// Declares `prefix`, empty for the default namespace, in an element with `depth` elements around it.
    ///
    /// # Errors
    /// Why that may not be declared.
    pub(super) fn declare(&mut self, prefix: &'a str, uri: &str, depth: usize) -> Result<(), String> {
        match (prefix, uri) {
            ("xml", XML) => return Ok(()),
            ("xml", _) => return Err(format!("the prefix 'xml' cannot be bound to '{uri}'")),
            ("xmlns", _) => return Err("the prefix 'xmlns' cannot be bound".to_owned()),
            (_, XML | XMLNS) => return Err(format!("the namespace '{uri}' can have no other prefix")),
            _ => {}
        }
        if self.declared_at(depth).any(|b| b.prefix == prefix) {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            return Err(format!("the attribute '{name}' is there twice"));
        }
        if self.bindings.len() >= self.most {
            return Err(format!("more than {} declarations of namespaces", self.most));
        }
        self.bindings.push(Binding { prefix, namespace: Namespace::of(uri), depth });
        Ok(())
    }

    fn declared_at(&self, depth: usize) -> impl Iterator<Item = &Binding<'a>> {
        self.bindings.iter().rev().take_while(move |b| b.depth == depth)
    }

    /// Ends the declarations of an element with `depth` elements around it.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|b| b.depth >= depth) {
            self.bindings.pop();
        }
    }

    /// The namespace of an element whose name has `prefix`, empty for none.
    pub(super) fn of_element(&self, prefix: &str) -> Namespace {
        match self.bindings.iter().rev().find(|b| b.prefix == prefix) {
            Some(Binding { namespace: Namespace::None, .. }) if !prefix.is_empty() => {
                Namespace::Undeclared(prefix.into())
            }
            Some(binding) => binding.namespace.clone(),
            None if prefix.is_empty() => Namespace::None,
            None if prefix == "xml" => Namespace::of(XML),
            None => Namespace::Undeclared(prefix.into()),
        }
    }

    /// The namespace of an attribute; without a prefix it has none.
    pub(super) fn of_attribute(&self, prefix: &str) -> Namespace {
        if prefix.is_empty() { Namespace::None } else { self.of_element(prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_declarations_hide_outer_ones_until_their_element_ends() {
        let other = |uri: &str| Namespace::Other(uri.into());
        let mut scope = Scope::new(8);
        scope.declare("", "a", 0).unwrap();
        scope.declare("p", "b", 0).unwrap();
        scope.declare("p", "c", 2).unwrap();
        scope.declare("", "", 2).unwrap();
        assert_eq!((scope.of_element(""), scope.of_element("p")), (Namespace::None, other("c")));
        assert_eq!((scope.of_attribute(""), scope.of_attribute("p")), (Namespace::None, other("c")));
        scope.leave(2);
        assert_eq!((scope.of_element(""), scope.of_element("p")), (other("a"), other("b")));
        scope.leave(0);
        assert_eq!((scope.of_element(""), scope.of_element("p")), (Namespace::None, Namespace::Undeclared("p".into())));
        assert_eq!(scope.of_attribute("xml"), other(XML));
    }

    #[test]
    fn what_may_not_be_declared() {
        let mut scope = Scope::new(2);
        scope.declare("p", "a", 0).unwrap();
        scope.declare("xml", XML, 0).unwrap();
        let cases = [
            (("p", "b"), "the attribute 'xmlns:p' is there twice"),
            (("xml", "a"), "the prefix 'xml' cannot be bound to 'a'"),
            (("xmlns", XMLNS), "the prefix 'xmlns' cannot be bound"),
            (("q", XML), "the namespace 'http://www.w3.org/XML/1998/namespace' can have no other prefix"),
            (("", XMLNS), "the namespace 'http://www.w3.org/2000/xmlns/' can have no other prefix"),
        ];
        for ((prefix, uri), error) in cases {
            assert_eq!(scope.declare(prefix, uri, 0).unwrap_err(), error);
        }
        scope.declare("", "a", 0).unwrap();
        assert_eq!(scope.declare("", "a", 0).unwrap_err(), "the attribute 'xmlns' is there twice");
        assert_eq!(scope.declare("q", "a", 1).unwrap_err(), "more than 2 declarations of namespaces");
    }
}
