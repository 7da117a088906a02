package binary

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/smythfs"
	"github.com/sre-go/sre/value"
)

// maxText bounds a text that is taken for base64, in bytes.
const maxText = 10 << 20

// From reads the file that a value stands for. name is that of the input; new files are named "<id>-<name>.<ending>".
// A value that stands for several gives several.
func From(ctx context.Context, call *component.Call, v value.Value, name string) ([]File, error) {
	switch {
	case v.IsArray():
		var files []File
		for _, it := range v.Items() {
			more, err := From(ctx, call, it, name)
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		}
		return files, nil
	case IsObject(v):
		return one(fromObject(ctx, call, v, name))
	}
	text, ok := v.Str()
	if !ok {
		text = v.JSON()
	}
	if list := addresses(text); len(list) > 1 {
		return From(ctx, call, value.Strings(list), name)
	}
	return one(fromText(ctx, call, strings.TrimSpace(text), text, call.Effects.NewID()+"-"+name))
}

// Upload makes a file of an upload.
func Upload(call *component.Call, f component.File) File {
	mime := bare(f.MIME)
	if mime == "" {
		mime = mimeOf(f.Name, f.Data)
	}
	return File{Name: withEnding(call.Effects.NewID()+"-"+PlainName(f.Name), mime), MIME: mime, Data: f.Data}
}

// maxName bounds a name that somebody else gave, in bytes; storage takes names of 255.
const maxName = 128

// PlainName is the last part of a name that a client gave, without what storage would refuse.
func PlainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`%?#\:@"<>|*`, r) || !unicode.IsPrint(r) {
			return '-'
		}
		return r
	}, strings.Trim(name, ". "))
}

func one(f File, err error) ([]File, error) {
	if err != nil {
		return nil, err
	}
	return []File{f}, nil
}

func fromObject(ctx context.Context, call *component.Call, v value.Value, name string) (File, error) {
	if size, ok := v.Get("size").Num(); ok && size > float64(limits.Default().ResponseBytes) {
		return File{}, tooLarge() // as it says itself
	}
	f, err := fromText(ctx, call, v.GetString("url"), "", call.Effects.NewID()+"-"+name)
	if err != nil {
		return File{}, err
	}
	if m := v.GetString("mimetype"); m != "" {
		f.MIME = bare(m)
	}
	return f, nil
}

// fromText reads an address, a data URL, base64, or the text itself.
func fromText(ctx context.Context, call *component.Call, text, whole, name string) (File, error) {
	switch {
	case smythfs.Is(text):
		return stored(ctx, call, text)
	case isAddress(text):
		return download(ctx, call, text, name)
	case strings.HasPrefix(text, "data:"):
		if f, ok := fromDataURL(text, name); ok {
			return f, nil
		}
	}
	if data, ok := decodeBase64(text); ok {
		mime := byContent(data)
		return File{Name: withEnding(name, mime), MIME: mime, Data: data}, nil
	}
	return File{Name: name + ".txt", MIME: "text/plain", Data: []byte(whole)}, nil
}

// isAddress reports whether a text is one address of the web and nothing else.
func isAddress(text string) bool {
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") || strings.ContainsFunc(text, unicode.IsSpace) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Hostname() != ""
}

// addresses finds the addresses in a text that lists several, separated by commas or lines.
func addresses(text string) []string {
	var list []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		part = strings.TrimSpace(part)
		if !isAddress(part) && !smythfs.Is(part) {
			return nil
		}
		list = append(list, part)
	}
	return list
}

// fromDataURL reads data:<type>;base64,<bytes>.
func fromDataURL(text, name string) (File, bool) {
	head, body, ok := strings.Cut(strings.TrimPrefix(text, "data:"), ",")
	head, isBase64 := strings.CutSuffix(head, ";base64")
	if !ok || !isBase64 {
		return File{}, false
	}
	data, ok := decodeBase64(body)
	if !ok && body != "" {
		return File{}, false
	}
	mime := bare(head)
	return File{Name: withEnding(name, mime), MIME: mime, Data: data}, true
}

// decodeBase64 reads a text that is base64 in full. Padding may be missing, white space is passed over.
func decodeBase64(text string) ([]byte, bool) {
	if text == "" || len(text) > maxText {
		return nil, false
	}
	packed := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	data, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(packed, "="))
	return data, err == nil && len(data) > 0
}

// download fetches a file through the client of the call, which keeps the egress policy and the limits of an answer.
func download(ctx context.Context, call *component.Call, address, name string) (File, error) {
	if call.HTTP == nil {
		return File{}, fault.Newf(fault.Unsupported, "files cannot be downloaded here")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return File{}, fault.New(fault.Invalid, err)
	}
	res, err := call.HTTP.Do(req)
	if err != nil {
		return File{}, err
	}
	if res.StatusCode >= http.StatusBadRequest {
		_ = res.Body.Close() // nothing of it is wanted
		return File{}, fault.Newf(fault.Unavailable, "the file cannot be downloaded: the server answers %s", res.Status)
	}
	data, err := readAll(res.Body)
	if err != nil {
		return File{}, err
	}
	mime := bare(res.Header.Get("Content-Type"))
	if mime == "" || mime == "application/octet-stream" {
		if guess := mimeOf(req.URL.Path, data); guess != "" {
			mime = guess
		}
	}
	return File{Name: withEnding(name, mime), MIME: mime, Data: data}, nil
}
