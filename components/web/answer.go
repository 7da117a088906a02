package web

import (
	"bytes"
	"context"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/value"
)

// answer reads an answer by its content type: JSON is a value, text a text, and what is neither is stored as a file.
// With an error the value is what could be read in spite of it.
func answer(ctx context.Context, t *texts, res *http.Response) (value.Value, error) {
	data, err := io.ReadAll(res.Body)
	if closing := res.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return value.NullValue(), err
	}
	kind, charset := contentType(res.Header)
	switch familyOf(kind, data) {
	case familyJSON:
		return jsonAnswer(data)
	case familyText:
		return value.Of(decodeText(data, charset)), nil
	case familyFile:
	}
	if len(data) == 0 {
		return value.Of(""), nil
	}
	return binary.Store(ctx, t.call, binary.Make(t.call, kind, data))
}

func jsonAnswer(data []byte) (value.Value, error) {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	if len(bytes.TrimSpace(data)) == 0 {
		return value.Obj(), nil
	}
	text := decodeText(data, "")
	v, err := value.Parse(text)
	if err != nil {
		return value.Of(text), fault.Newf(fault.KindOf(err), "the answer is not JSON: %w", err)
	}
	return v, nil
}

// contentType returns the type of an answer in lower case, and its charset.
func contentType(h http.Header) (kind, charset string) {
	text := h.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(text)
	if err != nil {
		kind, _, _ = strings.Cut(text, ";")
		return strings.ToLower(strings.TrimSpace(kind)), ""
	}
	return kind, strings.ToLower(params["charset"])
}

type family uint8

const (
	familyFile family = iota
	familyText
	familyJSON
)

// familyOf tells how an answer is read. A type that is not known is looked at.
func familyOf(kind string, data []byte) family {
	switch kind {
	case "application/json", "text/json", "application/x-json", "application/json5", "application/manifest+json":
		return familyJSON
	case "application/xml", "application/xhtml+xml", "application/javascript", "application/x-javascript", "application/ecmascript",
		"application/x-www-form-urlencoded", "application/graphql", "application/sql", "application/yaml", "application/x-yaml",
		"application/toml", "application/x-sh", "application/csv", "application/x-ndjson", "application/jsonl", "application/rtf":
		return familyText
	case "image/svg+xml":
		return familyFile
	}
	top, sub, _ := strings.Cut(kind, "/")
	switch {
	case strings.HasSuffix(sub, "+json"):
		return familyJSON
	case top == "text", strings.HasSuffix(sub, "+xml"), strings.HasSuffix(sub, "+yaml"):
		return familyText
	case top == "image", top == "audio", top == "video", top == "font", top == "model", kind == "application/octet-stream",
		kind == "application/pdf", kind == "application/zip", strings.HasPrefix(sub, "vnd."), strings.HasPrefix(sub, "x-"):
		return familyFile
	case looksLikeText(data):
		return familyText
	}
	return familyFile
}

func looksLikeText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f'
	})
}

// decodeText reads text in UTF-8, or Latin-1 where the answer says so.
func decodeText(data []byte, charset string) string {
	switch charset {
	case "iso-8859-1", "latin1", "us-ascii", "ascii":
		out := make([]rune, len(data))
		for i, c := range data {
			out[i] = rune(c)
		}
		return string(out)
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

func sortedNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }
