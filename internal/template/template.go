// Package template fills the placeholders of author texts.
//
// A text is compiled once and filled any number of times. What is put into it is
// never read for placeholders again: data that came from a request, a model or a
// file stays data. Only the variables of an agent, which its author wrote, are
// expanded among themselves, once, by [ExpandAll].
//
// A placeholder is {{name}}: everything between the braces on one line, spaces
// included. The name is looked up as it is, then as a path such as "a.b[0]".
package template

import (
	"strings"

	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// Template is a compiled text. It is immutable and may be used by several goroutines.
type Template struct {
	source string
	parts  []part
	size   int // bytes of the literal parts
}

// part is literal text or a placeholder, as written: both are slices of the source.
type part struct {
	text   string
	path   *path // set when the name can be read as a path
	braces int8  // on each side of a placeholder, 0 for literal text
}

// path is the name of a placeholder that is not found as a whole.
type path struct {
	head string
	tail value.Path
}

func (p *part) holder() bool { return p.braces > 0 }

// token returns what stands between the braces.
func (p *part) token() string { return p.text[p.braces : len(p.text)-int(p.braces)] }

// Lookup returns the value of a name, absent when there is none.
type Lookup func(name string) value.Value

// Compile reads a text with {{placeholders}}.
func Compile(text string) *Template { return compile(text, "{{", "}}") }

// CompileSingle reads a text with {placeholders}.
func CompileSingle(text string) *Template { return compile(text, "{", "}") }

func compile(text, open, shut string) *Template {
	t := &Template{source: text}
	for rest := text; rest != ""; {
		start, end := find(rest, open, shut)
		if start > 0 {
			t.parts = append(t.parts, part{text: rest[:start]})
			t.size += start
		}
		if start < len(rest) {
			p := part{text: rest[start:end], braces: int8(len(open))}
			if steps := value.ParsePath(p.token()); steps.First() != "" && steps.First() != p.token() {
				p.path = &path{head: steps.First(), tail: steps.Tail(1)}
			}
			t.parts = append(t.parts, p)
		}
		rest = rest[end:]
	}
	return t
}

// Source returns the text the template was compiled from.
func (t *Template) Source() string { return t.source }

// HasPlaceholders reports whether there is anything to fill.
func (t *Template) HasPlaceholders() bool {
	for i := range t.parts {
		if t.parts[i].holder() {
			return true
		}
	}
	return false
}

// Tokens returns what stands between the braces of each placeholder, in order.
func (t *Template) Tokens() []string {
	var tokens []string
	for i := range t.parts {
		if t.parts[i].holder() {
			tokens = append(tokens, t.parts[i].token())
		}
	}
	return tokens
}

// Options change how a template is filled.
type Options struct {
	// Bare leaves double quotes in texts as they are. Otherwise they are escaped with a backslash, unless they are
	// already, so that a text can stand inside of JSON.
	Bare bool
	// Clean removes placeholders that have no value. Otherwise they stay as written.
	Clean bool
}

// Expand fills the template. The error is [fault.Limit] when the result is over the limit of bytes.
func (t *Template) Expand(lookup Lookup, o Options) (string, error) {
	if len(t.parts) == 1 && !t.parts[0].holder() {
		return t.source, nil
	}
	most := limits.Default().TemplateBytes
	out := make([]byte, 0, min(t.size+16*len(t.parts), most))
	for i := range t.parts {
		p := &t.parts[i]
		if !p.holder() {
			out = append(out, p.text...)
		} else {
			out = p.append(out, lookup, o)
		}
		if len(out) > most {
			return "", tooLong(most)
		}
	}
	return string(out), nil
}

func (p *part) append(out []byte, lookup Lookup, o Options) []byte {
	v := p.value(lookup)
	if v.IsNil() {
		if o.Clean {
			return out
		}
		return append(out, p.text...)
	}
	if s, ok := v.Str(); ok {
		if o.Bare {
			return append(out, s...)
		}
		return appendEscaped(out, s)
	}
	if v.IsObject() || v.IsArray() {
		return append(out, v.JSON()...)
	}
	return append(out, v.Text()...)
}

// value looks a placeholder up by its name, then by its path.
func (p *part) value(lookup Lookup) value.Value {
	if v := lookup(p.token()); !v.IsNil() || p.path == nil {
		return v
	}
	return p.path.tail.Walk(lookup(p.path.head))
}

// appendEscaped escapes double quotes that are not escaped yet.
func appendEscaped(out []byte, s string) []byte {
	if strings.IndexByte(s, '"') < 0 {
		return append(out, s...)
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '"' && (i == 0 || s[i-1] != '\\') {
			out = append(out, '\\')
		}
		out = append(out, s[i])
	}
	return out
}

// Raw returns the value of the first placeholder as it is, files and objects included, and absent when it has none;
// what stands around the placeholder is lost. Text without a placeholder is returned as text.
func (t *Template) Raw(lookup Lookup) value.Value {
	for i := range t.parts {
		if t.parts[i].holder() {
			return lookup(t.parts[i].token())
		}
	}
	return value.Of(t.source)
}
