//! The namespaces of the protocol (spec/protocol.md section 2).

macro_rules! namespaces {
    ($($(#[doc = $doc:literal])+ $name:ident = $uri:literal;)+) => {
        /// The namespace of an element or attribute.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Namespace {
            $($(#[doc = $doc])+ $name,)+
            /// None.
            None,
            /// The prefix is not declared; it is kept.
            Undeclared(Box<str>),
            /// Another one.
            Other(Box<str>),
        }

        impl Namespace {
            /// The namespace with this name.
            pub fn of(uri: &str) -> Namespace {
                match uri {
                    $($uri => Namespace::$name,)+
                    "" => Namespace::None,
                    other => Namespace::Other(other.into()),
                }
            }

            /// Its name; empty for none and for an undeclared prefix.
            pub fn uri(&self) -> &str {
                match self {
                    $(Namespace::$name => $uri,)+
                    Namespace::None | Namespace::Undeclared(_) => "",
                    Namespace::Other(uri) => uri,
                }
            }
        }
    };
}

namespaces! {
    /// SOAP 1.1.
    Soap = "http://schemas.xmlsoap.org/soap/envelope/";
    /// SOAP 1.2, which the protocol does not use.
    Soap12 = "http://www.w3.org/2003/05/soap-envelope";
    /// Discover, Execute, their answers, session headers.
    Xmla = "urn:schemas-microsoft-com:xml-analysis";
    /// The root of a rowset.
    Rowset = "urn:schemas-microsoft-com:xml-analysis:rowset";
    /// The root of a cell set.
    MdDataset = "urn:schemas-microsoft-com:xml-analysis:mddataset";
    /// The root of an answer without result.
    Empty = "urn:schemas-microsoft-com:xml-analysis:empty";
    /// Messages, errors and warnings.
    Exception = "urn:schemas-microsoft-com:xml-analysis:exception";
    /// Objects and commands of ASSL.
    Engine = "http://schemas.microsoft.com/analysisservices/2003/engine";
    /// `msxmla`.
    MsXmla = "http://schemas.microsoft.com/analysisservices/2003/xmla";
    /// XML Schema.
    Xsd = "http://www.w3.org/2001/XMLSchema";
    /// `xsi`.
    Xsi = "http://www.w3.org/2001/XMLSchema-instance";
    /// `sql:field` of inline schemas.
    Sql = "urn:schemas-microsoft-com:xml-sql";
}

impl Namespace {
    /// Whether it is one of Analysis Services' own: engine, its later versions, ext, xmla.
    pub fn is_analysis_services(&self) -> bool {
        *self == Namespace::Xmla || self.uri().starts_with("http://schemas.microsoft.com/analysisservices/")
    }
}
