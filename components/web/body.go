package web

import (
	"context"
	"net/url"
	"strings"

	"github.com/sre-go/sre/internal/jsonfix"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/value"
)

// Content types that a body is written as.
const (
	typeNone      = "none"
	typeJSON      = "application/json"
	typeMultipart = "multipart/form-data"
	typeBinary    = "binary"
	typeForm      = "application/x-www-form-urlencoded"
	typeText      = "text/plain"
	typeXML       = "application/xml"
)

// body is what a request carries.
type body struct {
	data        []byte // nil for none
	contentType string // that the body itself brings, "" for that of the settings
	form        []pair // fields of a form, for signatures; multipart forms have only their texts here
	isForm      bool
	log         string // what stands in the log for it, "" for the data
}

// pair is a name and a value of a form or a query.
type pair struct{ name, value string }

// body writes the body of the author.
func (t *texts) body(ctx context.Context, contentType string, v value.Value) (body, error) {
	s, isText := v.Str()
	if v.IsNil() || isText && s == "" {
		return body{}, nil
	}
	switch contentType {
	case typeJSON, typeForm:
		parsed, err := t.structured(ctx, v)
		if err != nil {
			return body{}, err
		}
		if contentType == typeForm {
			return formBody(parsed), nil
		}
		return jsonBody(parsed), nil
	case typeMultipart:
		return t.multipart(ctx, v)
	case typeBinary:
		return t.binary(ctx, v.Plain())
	case typeText:
		text, err := t.fill(ctx, v.Plain())
		return textBody(text), err
	case typeXML:
		text, err := t.xml(ctx, v.Plain())
		return textBody(text), err
	}
	text, err := t.keysOnly(ctx, v.Plain())
	return textBody(text), err
}

func textBody(text string) body {
	if text == "" {
		return body{}
	}
	return body{data: []byte(text)}
}

// structured fills a body that is to be a value: a text of the author is read as JSON if it is.
func (t *texts) structured(ctx context.Context, v value.Value) (value.Value, error) {
	if s, ok := v.Str(); ok {
		return t.lenient(ctx, s)
	}
	return t.fillAll(ctx, v)
}

// jsonBody writes a value as JSON. A text that is JSON already is sent as it is, any other as a JSON string.
func jsonBody(v value.Value) body {
	s, isText := v.Str()
	if !isText {
		return body{data: []byte(v.JSON())}
	}
	if s == "" {
		return body{}
	}
	if trimmed := strings.TrimSpace(s); trimmed != "" {
		if _, err := value.Parse(trimmed); err == nil {
			return body{data: []byte(trimmed)}
		}
	}
	return body{data: []byte(v.JSON())}
}

// formBody writes the members of an object as fields, and anything else as its text.
func formBody(v value.Value) body {
	if !v.IsObject() {
		b := textBody(v.Plain())
		b.form, b.isForm = pairsOf(string(b.data)), true
		return b
	}
	var fields []string
	b := body{isForm: true}
	for _, m := range v.Members() {
		text := m.Value.Plain()
		b.form = append(b.form, pair{m.Key, text})
		fields = append(fields, url.QueryEscape(m.Key)+"="+url.QueryEscape(text))
	}
	b.data = []byte(strings.Join(fields, "&"))
	return b
}

// pairsOf reads the fields of a query or a form, in order. What cannot be unescaped stays as it is.
func pairsOf(text string) []pair {
	var list []pair
	unescape := func(s string) string {
		if plain, err := url.QueryUnescape(s); err == nil {
			return plain
		}
		return s
	}
	for field := range strings.SplitSeq(text, "&") {
		if name, v, _ := strings.Cut(field, "="); field != "" {
			list = append(list, pair{unescape(name), unescape(v)})
		}
	}
	return list
}

// xml fills a text of XML; what stands in values is text there and never markup.
func (t *texts) xml(ctx context.Context, text string) (string, error) {
	r, err := t.open(ctx, text, false)
	if err != nil {
		return "", err
	}
	plain := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")
	return r.Expand(func(token string) value.Value {
		v := t.lookup(token)
		if s, ok := v.Str(); ok {
			return value.Of(plain.Replace(s))
		}
		return v
	}, template.Options{Bare: true, Clean: true})
}

// object reads a text of the author as an object before its places are filled. A placeholder that stands without quotes
// where a value belongs is one that stands alone.
func (t *texts) object(ctx context.Context, v value.Value) (value.Value, bool) {
	s, isText := v.Str()
	if !isText {
		return v, v.IsObject()
	}
	typed, err := t.typed(s)
	if err != nil {
		return value.Value{}, false
	}
	parsed, err := jsonfix.Parse(quoteBare(typed))
	return parsed, err == nil && parsed.IsObject()
}

// quoteBare puts quotes around the placeholders that stand outside of quotes.
func quoteBare(text string) string {
	return outsideQuotes(text, func(rest string) (string, int) {
		end := strings.Index(rest, "}}")
		if !strings.HasPrefix(rest, "{{") || end < 0 {
			return "", 0
		}
		return string(value.AppendQuoted(nil, rest[:end+2])), end + 2
	})
}
