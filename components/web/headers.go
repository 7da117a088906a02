package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/value"
)

// headerError tells the service that the headers of the author could not be read, as recorded.
const headerError, headerErrorText = "x-smyth-error", "Error parsing headers"

// headers reads the headers of the author. An object is read before its texts are filled, so that a value cannot add a
// header; the rest is filled first, for headers that come as a whole from an input.
func (t *texts) headers(ctx context.Context, v value.Value) (http.Header, error) {
	s, isText := v.Str()
	switch {
	case v.IsNil(), isText && strings.TrimSpace(s) == "":
		return http.Header{}, nil
	case isText:
		author, err := t.typed(s)
		if err != nil {
			return nil, err
		}
		if parsed, err := value.Parse(author); err == nil && parsed.IsObject() {
			v = parsed
			break
		}
		if v, err = t.lenient(ctx, s); err != nil {
			return nil, err
		}
		return headerOf(v), nil
	}
	filled, err := t.fillAll(ctx, v)
	if err != nil {
		return nil, err
	}
	return headerOf(filled), nil
}

// typed replaces the typed placeholders of a text, whose quotes would stand in the way of reading it as JSON.
func (t *texts) typed(text string) (string, error) {
	settings := t.call.Node.Template.Get("settings")
	if settings.Len() == 0 {
		return text, nil
	}
	return template.ResolveTyped(text, settings), nil
}

// headerOf makes headers of an object. Members that are null or false are no headers.
func headerOf(v value.Value) http.Header {
	h := http.Header{}
	if !v.IsObject() {
		h.Set(headerError, headerErrorText)
		return h
	}
	for _, m := range v.Members() {
		if no, isBool := m.Value.Boolean(); m.Value.IsNil() || isBool && !no {
			continue
		}
		h.Del(m.Key) // names differ in case only
		if m.Value.IsArray() {
			for _, it := range m.Value.Items() {
				h.Add(m.Key, it.Plain())
			}
			continue
		}
		h.Set(m.Key, m.Value.Plain())
	}
	return h
}

// answerHeaders returns the headers of an answer. That the connection ends net/http keeps apart from them.
func answerHeaders(res *http.Response) value.Value {
	v := headerValue(res.Header)
	if res.Close && res.ProtoMajor == 1 && !v.Has("connection") {
		v = v.With("connection", value.Of("close"))
	}
	return v
}

// headerValue returns headers as a value: names in lower case, values as text; only cookies are a list.
func headerValue(h http.Header) value.Value {
	b := value.NewBuilder(len(h))
	for _, name := range sortedNames(h) {
		if name == "Set-Cookie" {
			b.Set("set-cookie", value.Strings(h[name]))
			continue
		}
		b.Set(strings.ToLower(name), value.Of(strings.ToValidUTF8(strings.Join(h[name], ", "), "\uFFFD")))
	}
	return b.Build()
}
