//! Cube definition files (Mondrian XML, YAML) to a checked definition.
