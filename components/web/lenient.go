package web

import (
	"context"
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/value"
)

// lenient fills a text of the author and reads it as JSON, written as people write it. What is no object and no array
// comes back as text.
//
// A text value that is put between quotes stays inside of them, whatever it holds: a mark stands for it until the JSON
// was read. One that is put where JSON expects a value is read as part of the JSON.
func (t *texts) lenient(ctx context.Context, text string) (value.Value, error) {
	r, err := t.open(ctx, text, true)
	if err != nil {
		return value.Value{}, err
	}
	h := holes{mark: "srehole" + strings.ReplaceAll(t.call.Effects.NewID(), "-", "") + "n"}
	marked, err := r.Expand(h.marking(t), template.Options{Clean: true})
	if err != nil {
		return value.Value{}, err
	}
	if most := limits.Default().TemplateBytes; h.bytes+len(marked) > most {
		return value.Value{}, fault.Limitf(limits.TemplateBytes, "filled text is over the limit of %d bytes", most)
	}
	if len(h.values) == 0 {
		return jsonfix.TryParse(marked), nil
	}
	marked = h.outside(marked)
	v := jsonfix.TryParse(marked)
	if _, isText := v.Str(); isText {
		return value.Of(h.replacer(escaped).Replace(marked)), nil
	}
	return fillHoles(v, h.replacer(func(s string) string { return s })), nil
}

// holes are marks that stand for text values: letters and digits, which mean the same in every place of a JSON text.
type holes struct {
	mark   string
	values []string
	bytes  int // of all values
}

// marking is the lookup of the texts with marks for text values. A template asks for the name of a placeholder, and when
// that has no value for the beginning of its path: the path was followed here already, so that is nothing.
func (h *holes) marking(t *texts) template.Lookup {
	missed := false
	return func(token string) value.Value {
		if missed {
			missed = false
			return value.Value{}
		}
		v, isKey := t.keys[token]
		if isKey {
			return v
		}
		if v = t.in.Lookup(token); v.IsNil() {
			if path := value.ParsePath(token); path.First() != "" && path.First() != token {
				v = path.Tail(1).Walk(t.lookup(path.First()))
				missed = v.IsNil()
			}
		}
		s, isText := v.Str()
		if !isText {
			return v
		}
		h.values = append(h.values, s)
		h.bytes += len(s)
		return value.Of(h.name(len(h.values) - 1))
	}
}

func (h *holes) name(i int) string { return h.mark + strconv.Itoa(i) + "z" }

// outside replaces the marks that stand outside of quotes by their values.
func (h *holes) outside(text string) string {
	return outsideQuotes(text, func(rest string) (string, int) {
		digits, ok := strings.CutPrefix(rest, h.mark)
		if !ok {
			return "", 0
		}
		digits, _, _ = strings.Cut(digits, "z")
		n, err := strconv.Atoi(digits)
		if err != nil || n >= len(h.values) {
			return "", 0
		}
		return escaped(h.values[n]), len(h.name(n))
	})
}

// outsideQuotes goes through a text of JSON as people write it. Wherever no quote is open it offers replace what is left
// of the text; replace returns what to write instead of so many bytes, 0 for none.
func outsideQuotes(text string, replace func(rest string) (string, int)) string {
	var out strings.Builder
	var quote, before byte // the quote that is open; the last byte outside of quotes that is no space
	for i := 0; i < len(text); i++ {
		if quote == 0 {
			if instead, n := replace(text[i:]); n > 0 {
				out.WriteString(instead)
				i += n - 1
				before = 'x'
				continue
			}
		}
		c := text[i]
		switch {
		case quote != 0 && c == '\\' && i+1 < len(text):
			out.WriteByte(c)
			i++
			c = text[i]
		case quote != 0 && c == quote:
			quote, before = 0, c
		case quote == 0 && (c == '"' || c == '\'' && strings.IndexByte("{[,:", before) >= 0):
			quote = c
		case quote == 0 && c != ' ' && c != '\n' && c != '\r' && c != '\t':
			before = c
		}
		out.WriteByte(c)
	}
	return out.String()
}

// replacer puts the values in for the marks, each as write writes it.
func (h *holes) replacer(write func(string) string) *strings.Replacer {
	pairs := make([]string, 0, 2*len(h.values))
	for i, s := range h.values {
		pairs = append(pairs, h.name(i), write(s))
	}
	return strings.NewReplacer(pairs...)
}

// escaped gives the quotes within a text the backslash that they need inside of JSON.
func escaped(s string) string {
	text, _ := template.Compile("{{v}}").Expand(func(string) value.Value { return value.Of(s) }, template.Options{})
	return text // its size was checked: the one error there is does not come
}

func fillHoles(v value.Value, r *strings.Replacer) value.Value {
	switch v.Kind() {
	case value.String:
		s, _ := v.Str()
		return value.Of(r.Replace(s))
	case value.Array:
		items := make([]value.Value, v.Len())
		for i, it := range v.Items() {
			items[i] = fillHoles(it, r)
		}
		return value.OfItems(items)
	case value.Object:
		b := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			b.Set(r.Replace(m.Key), fillHoles(m.Value, r))
		}
		return b.Build()
	case value.Absent, value.Null, value.Bool, value.Number:
	}
	return v
}
