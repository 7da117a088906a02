package schema

import (
	"fmt"
	"strings"

	"github.com/sre-go/sre/value"
)

// JSONSchema returns the schema as a JSON Schema object (draft 2020-12).
func (o Object) JSONSchema() value.Value {
	props := value.NewBuilder(len(o.fields))
	var required []string
	for _, f := range o.fields {
		props.Set(f.Name, f.jsonSchema())
		if f.Required {
			required = append(required, f.Name)
		}
	}
	out := value.NewBuilder(3).Set("type", value.Of("object")).Set("properties", props.Build())
	if len(required) > 0 {
		out.Set("required", value.Strings(required))
	}
	return out.Build()
}

func (f *Field) jsonSchema() value.Value {
	b := value.NewBuilder(6)
	switch {
	case f.Nested != nil:
		b = &value.Builder{}
		for _, m := range f.Nested.JSONSchema().Members() {
			b.Set(m.Key, m.Value)
		}
	case f.Type != Any:
		b.Set("type", value.Of(string(f.Type)))
	}
	if f.Label != "" {
		b.Set("title", value.Of(f.Label))
	}
	if f.Doc != "" {
		b.Set("description", value.Of(f.Doc))
	}
	if len(f.Enum) > 0 {
		b.Set("enum", value.Strings(f.Enum))
	}
	low, high := "minimum", "maximum"
	if f.Type == Text {
		low, high = "minLength", "maxLength"
	}
	if f.Min != nil {
		b.Set(low, value.OfNumber(*f.Min))
	}
	if f.Max != nil {
		b.Set(high, value.OfNumber(*f.Max))
	}
	if f.Pattern != "" {
		b.Set("pattern", value.Of(strings.Trim(f.Pattern, "/")))
	}
	if f.Default != "" {
		b.Set("default", value.Of(f.Default))
	}
	if f.Secret {
		b.Set("writeOnly", value.OfBool(true))
	}
	return b.Build()
}

// Markdown returns the table of settings for a reference page, "" when there are none.
func (o Object) Markdown() string {
	if len(o.fields) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| Setting | Type | Rules | Meaning |\n|---|---|---|---|\n")
	o.markdownRows(&b, "")
	return b.String()
}

func (o Object) markdownRows(b *strings.Builder, prefix string) {
	for _, f := range o.fields {
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, f.Name, f.Type, f.rules(), strings.ReplaceAll(f.Doc, "|", "\\|"))
		if f.Nested != nil {
			f.Nested.markdownRows(b, prefix+f.Name+".")
		}
	}
}

func (f *Field) rules() string {
	var r []string
	if f.Required {
		r = append(r, "required")
	}
	if f.Default != "" {
		r = append(r, "default `"+f.Default+"`")
	}
	if len(f.Enum) > 0 {
		quoted := make([]string, 0, len(f.Enum))
		for _, e := range f.Enum {
			if e == "" {
				e = "(empty)"
			}
			quoted = append(quoted, "`"+e+"`")
		}
		r = append(r, "one of "+strings.Join(quoted, " "))
	}
	unit := ""
	if f.Type == Text {
		unit = " characters"
	}
	if f.Min != nil {
		r = append(r, "at least "+value.FormatNumber(*f.Min)+unit)
	}
	if f.Max != nil {
		r = append(r, "at most "+value.FormatNumber(*f.Max)+unit)
	}
	if f.seconds {
		r = append(r, "in seconds")
	}
	if f.Secret {
		r = append(r, "secret")
	}
	if f.Template {
		r = append(r, "template")
	}
	return strings.Join(r, ", ")
}
