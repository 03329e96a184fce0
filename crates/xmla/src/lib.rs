//! XML for Analysis: SOAP and XML to model types and back.
