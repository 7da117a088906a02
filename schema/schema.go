// Package schema turns a struct of settings into fields that can be decoded, checked and documented.
//
// Reflection over settings lives here and nowhere else, once for each type at
// start. From one struct come validation with the messages that users of the
// reference know, strict checking with the nearest known name, JSON Schema and
// the Markdown table of the reference pages.
//
// A setting is an exported field with a json tag for its name, a doc tag for
// its sentence, and an sre tag with comma-separated rules:
//
//	Delay float64 `json:"delay" doc:"Seconds to wait." sre:"label=Delay,min=0,max=3600"`
//
// Rules: label=TEXT, required, allowEmpty, null, min=N, max=N (of a number, or
// the length of a text), enum=a|b|c, pattern=NAME (see Patterns), integer,
// default=V, secret, template, advanced. Text with commas goes into separate
// tags: default:"..." and label:"...".
//
// Field types: string, bool, int, float64, []string, time.Duration (seconds in
// JSON), secret.Value, value.Value (anything), a nested struct, or a pointer to
// one of these for settings whose absence matters.
package schema
