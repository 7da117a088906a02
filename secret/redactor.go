package secret

import "strings"

// MinLength is the length of the shortest secret that is taken out by value, in bytes. A shorter one would take ordinary
// words out.
const MinLength = 6

// Redactor replaces secrets in texts by [Redacted], also where they are written in base64, hexadecimal, or escaped for
// URLs, JSON or HTML. Where two overlap, all of both is replaced by one mark. Nil replaces nothing. It is immutable and
// safe for concurrent use.
type Redactor struct {
	machine *automaton
	numeric bool
}

// NewRedactor returns what takes those secrets out of texts, nil when none of them is long enough.
func NewRedactor(secrets ...Value) *Redactor {
	texts := make([]string, len(secrets))
	for i, s := range secrets {
		texts[i] = s.Reveal()
	}
	return redactorOf(texts)
}

func redactorOf(texts []string) *Redactor {
	r := &Redactor{}
	var all []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); len(t) < MinLength {
			continue
		}
		all = append(all, forms(t)...)
		r.numeric = r.numeric || strings.Trim(t, "0123456789.+-eE") == ""
	}
	if len(all) == 0 {
		return nil
	}
	r.machine = build(all)
	return r
}

// Numeric reports whether one of the secrets may be written as a number.
func (r *Redactor) Numeric() bool { return r != nil && r.numeric }

// Text returns the text without the secrets: the text itself when it holds none.
func (r *Redactor) Text(s string) string {
	if r == nil || len(s) < MinLength {
		return s
	}
	var found search
	scan(r.machine, &found, s)
	if len(found.spans) == 0 {
		return s
	}
	return string(render(found.spans, s))
}

// Bytes returns the bytes without the secrets: b itself when it holds none, else new ones.
func (r *Redactor) Bytes(b []byte) []byte {
	if r == nil || len(b) < MinLength {
		return b
	}
	var found search
	scan(r.machine, &found, b)
	if len(found.spans) == 0 {
		return b
	}
	return render(found.spans, b)
}

// Count returns in how many places of the text a secret stands; places that overlap count as one.
func (r *Redactor) Count(s string) int {
	if r == nil || len(s) < MinLength {
		return 0
	}
	var found search
	scan(r.machine, &found, s)
	return len(found.spans)
}

// render writes a text with its spans replaced.
func render[T string | []byte](spans []span, text T) []byte {
	out := make([]byte, 0, len(text)+len(spans)*len(Redacted))
	done := 0
	for _, s := range spans {
		out = append(out, text[done:s.start]...)
		out = append(out, Redacted...)
		done = s.end
	}
	return append(out, text[done:]...)
}
