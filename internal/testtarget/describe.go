package testtarget

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/value"
)

// unshown are request headers that depend on the HTTP client and not on the case.
const unshown = " host connection user-agent accept accept-encoding accept-language content-length transfer-encoding" +
	" keep-alive sec-fetch-mode "

// describe returns a request as the recordings have it.
func describe(r *http.Request, body []byte) value.Value {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	headers, boundary := describeHeaders(r.Header)
	b := value.NewBuilder(6).
		Set("method", value.Of(r.Method)).
		Set("path", value.Of(path)).
		Set("query", parseQuery(query)).
		Set("headers", headers)
	switch parts, ok := describeParts(body, boundary); {
	case ok:
		b.Set("multipart", parts)
	case len(body) > 0:
		key, v := text(body, "body_base64")
		b.Set(key, v)
	}
	return b.Build()
}

// describeHeaders returns the headers in lower case, sorted, and the boundary of a multipart body.
func describeHeaders(header http.Header) (shown value.Value, boundary string) {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	b := value.NewBuilder(len(names))
	for _, name := range names {
		lower := strings.ToLower(name)
		if strings.Contains(unshown, " "+lower+" ") {
			continue
		}
		separator := ", "
		if lower == "cookie" {
			separator = "; "
		}
		text := strings.Join(header[name], separator)
		if lower == "content-type" && strings.HasPrefix(text, "multipart/") {
			if kind, parameters, err := mime.ParseMediaType(text); err == nil && parameters["boundary"] != "" {
				boundary = parameters["boundary"]
				text = kind + "; boundary=<BOUNDARY>"
			}
		}
		b.Set(lower, value.Of(text))
	}
	return b.Build(), boundary
}

// describeParts returns the parts of a multipart body; not ok when the body is none.
func describeParts(body []byte, boundary string) (parts value.Value, ok bool) {
	if boundary == "" {
		return value.Value{}, false
	}
	var list []value.Value
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			return value.OfItems(list), true
		}
		if err != nil {
			return value.Value{}, false
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return value.Value{}, false
		}
		_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil {
			return value.Value{}, false
		}
		key, content := text(data, "base64")
		list = append(list, value.Obj(
			value.M("name", textOrNull(disposition["name"])),
			value.M("filename", textOrNull(disposition["filename"])),
			value.M("contentType", textOrNull(part.Header.Get("Content-Type"))),
			value.M("size", value.OfInt(len(data))),
			value.M(key, content),
		))
	}
}

func textOrNull(s string) value.Value {
	if s == "" {
		return value.NullValue()
	}
	return value.Of(s)
}

// text returns data as member "body" when it is text, else in base64 as member otherwise.
func text(data []byte, otherwise string) (key string, v value.Value) {
	if utf8.Valid(data) {
		return "body", value.Of(string(data))
	}
	return otherwise, value.Of(base64.StdEncoding.EncodeToString(data))
}

// parseQuery reads a query as browsers do: in order, and with broken escapes left as they are. A name that comes again
// makes a list of its values.
func parseQuery(query string) value.Value {
	b := value.NewBuilder(4)
	sofar := make(map[string]value.Value)
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, to, _ := strings.Cut(pair, "=")
		name = unescape(name)
		v := value.Of(unescape(to))
		if old, again := sofar[name]; again && old.IsArray() {
			v = value.OfItems(append(slices.Clip(old.Items()), v))
		} else if again {
			v = value.List(old, v)
		}
		sofar[name] = v
		b.Set(name, v)
	}
	return b.Build()
}

func unescape(s string) string {
	s = strings.ReplaceAll(s, "+", " ")
	if !strings.Contains(s, "%") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if decoded, err := url.PathUnescape(s[i : i+3]); err == nil {
				out.WriteString(decoded)
				i += 2
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}
