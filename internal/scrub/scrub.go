// Package scrub takes secrets out of what is to leave the machine: those that are known, by their value and in every form
// that package secret knows, and what looks like one. Nothing leaves before it was looked at once more: see [Cleaner.Check].
package scrub

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/scan"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Known is a secret with the name it has in a vault.
type Known struct {
	Name  string
	Value secret.Value
}

// Removed is something that was taken out. It tells where it was and what, never the secret.
type Removed struct {
	Pointer string // JSON pointer; "" for a text
	What    string // "the key openai of the vault", "key of AWS"
	Ref     bool   // a reference to the vault stands in its place
}

// Cleaner takes secrets out. It is immutable and safe for concurrent use.
type Cleaner struct {
	known    []Known // the longest first
	redactor *secret.Redactor
	shapes   *scan.Scanner
}

// New makes a cleaner for secrets that are known. Those too short to be told from ordinary words are left alone.
func New(known []Known) *Cleaner {
	c := &Cleaner{shapes: scan.New()}
	var values []secret.Value
	for _, k := range known {
		if secret.NewRedactor(k.Value) != nil {
			c.known, values = append(c.known, k), append(values, k.Value)
		}
	}
	slices.SortStableFunc(c.known, func(a, b Known) int { return len(b.Value.Reveal()) - len(a.Value.Reveal()) })
	c.redactor = secret.NewRedactor(values...)
	return c
}

// Value returns a value without its secrets, in texts and in names of members. template tells whether the text at a path is
// one in which the runtime puts a key of the vault for its reference; there a reference takes the place of a known secret.
func (c *Cleaner) Value(v value.Value, template func(path []string) bool) (value.Value, []Removed) {
	w := &walk{cleaner: c, template: template}
	return w.value(v, nil, ""), w.removed
}

// Text returns a text without its secrets.
func (c *Cleaner) Text(text string) (string, []Removed) {
	w := &walk{cleaner: c, template: func([]string) bool { return false }}
	return w.text(text, nil, ""), w.removed
}

// Check looks at the bytes of something that is about to leave. A secret in them is an error that names the thing and what was
// found, not the secret.
func (c *Cleaner) Check(name string, data []byte) error {
	what := ""
	if c.redactor.Count(string(data)) > 0 {
		what = "a key of the vault"
	} else if found := c.shapes.Find(string(data)); len(found) > 0 {
		what = found[0].Kind
	}
	if what == "" {
		return nil
	}
	err := fault.Newf(fault.Denied, "%s still holds what looks like a secret (%s): nothing was written", name, what)
	return fault.Hint(err, "put the secret into the vault and write {{KEY(NAME)}} in its place")
}

// walk goes over one value.
type walk struct {
	cleaner  *Cleaner
	template func(path []string) bool
	removed  []Removed
}

// value cleans what lies at a path, under the name that says what it is.
func (w *walk) value(v value.Value, path []string, name string) value.Value {
	switch v.Kind() {
	case value.String:
		text, _ := v.Str()
		return value.Of(w.text(text, path, name))
	case value.Array:
		items := slices.Clone(v.Items())
		for i, it := range items {
			items[i] = w.value(it, append(slices.Clip(path), strconv.Itoa(i)), name)
		}
		return value.OfItems(items)
	case value.Object:
		out := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			means := m.Key
			if m.Key == "value" || m.Key == "default" || m.Key == "defaultVal" { // of something that has its name beside it
				means = v.GetString("name") + v.GetString("key")
			}
			at := append(slices.Clip(path), m.Key)
			out.Set(w.text(m.Key, at, ""), w.value(m.Value, at, means))
		}
		return out.Build()
	}
	return v
}

func (w *walk) text(text string, path []string, name string) string {
	for _, k := range w.cleaner.known {
		plain := k.Value.Reveal()
		if !strings.Contains(text, plain) {
			continue
		}
		in := scan.Mark + "-" + k.Name
		ref := w.template(path)
		if ref {
			in = "{{KEY(" + k.Name + ")}}"
		}
		text = strings.ReplaceAll(text, plain, in)
		w.note(path, "the key "+k.Name+" of the vault", ref)
	}
	if w.cleaner.redactor.Count(text) > 0 {
		text = w.cleaner.redactor.Text(text)
		w.note(path, "a key of the vault, in another form", false)
	}
	if w.cleaner.shapes.Secret(name, text) {
		w.note(path, "value of a secret name", false)
		return scan.Mark
	}
	for { // what was beside a secret may look like one without it
		clean, found := w.cleaner.shapes.Clean(text)
		for _, f := range found {
			w.note(path, f.Kind, false)
		}
		if len(found) == 0 {
			return text
		}
		text = clean
	}
}

func (w *walk) note(path []string, what string, ref bool) {
	pointer := ""
	for _, part := range path {
		part, _ = w.cleaner.shapes.Clean(w.cleaner.redactor.Text(part))
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	}
	w.removed = append(w.removed, Removed{Pointer: pointer, What: what, Ref: ref})
}
