package conformance

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Places are the addresses that stand for the placeholders of a case.
type Places struct {
	LLMBaseURL  string
	HTTPBaseURL string
	Folder      string
}

func (p Places) replacer() *strings.Replacer {
	return strings.NewReplacer(
		"${LLM_BASE_URL}", p.LLMBaseURL,
		"${HTTP_BASE_URL}", p.HTTPBaseURL,
		"${LLM_HOST}", host(p.LLMBaseURL),
		"${HTTP_HOST}", host(p.HTTPBaseURL),
		"${TMP}", p.Folder,
	)
}

// Text fills the placeholders of a text.
func (p Places) Text(s string) string { return p.replacer().Replace(s) }

// Fill fills the placeholders in all strings and member names of v.
func (p Places) Fill(v value.Value) value.Value { return rewrite(v, p.replacer().Replace) }

func host(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	rest, _, _ = strings.Cut(rest, "/")
	return rest
}

// Request returns the request of a step with its placeholders filled; responses are those given so far.
func (s Step) Request(p Places, responses []value.Value) (Request, error) {
	v := fillResponses(p.Fill(s.fields), value.List(responses...))
	r := Request{
		Method: v.GetString("method"), Path: v.GetString("path"), URL: v.GetString("url"),
		Body: v.Get("body"), Query: v.Get("query"), Headers: v.Get("headers"),
		SessionID: v.GetString("sessionID"), ReadState: v.GetString("read_state"),
		Callback: v.Get("callback").Truthy(), SSE: v.Get("sse").Truthy(),
	}
	if kill := v.Get("kill"); kill.IsObject() {
		ms, _ := kill.Get("after_ms").Num()
		r.KillAfter = max(milliseconds(ms), 1)
		r.KillReason = kill.GetString("reason")
	}
	for i, f := range v.Get("files").Items() {
		data, err := base64.StdEncoding.DecodeString(f.GetString("base64"))
		if err != nil {
			return Request{}, fault.Newf(fault.Invalid, "file %d of request: %w", i, err)
		}
		r.Files = append(r.Files, component.File{
			Field: f.GetString("fieldname"), Name: f.GetString("originalname"), MIME: f.GetString("mimetype"), Data: data,
		})
	}
	return r, nil
}

const responseMark = "${RESP:"

// fillResponses replaces ${RESP:n:path} by the value at a dotted path of an earlier response. A string that is nothing
// but the placeholder becomes that value; one without a value becomes "".
func fillResponses(v, responses value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		s, _ := v.Str()
		if strings.HasPrefix(s, responseMark) && strings.IndexByte(s, '}') == len(s)-1 {
			if found := lookupResponse(s[len(responseMark):len(s)-1], responses); !found.IsAbsent() {
				return found
			}
		}
		return value.Of(fillResponseText(s, responses))
	case value.Array:
		items := make([]value.Value, 0, v.Len())
		for _, item := range v.Items() {
			items = append(items, fillResponses(item, responses))
		}
		return value.OfItems(items)
	case value.Object:
		b := value.NewBuilder(v.Len())
		for _, m := range v.Members() {
			b.Set(fillResponseText(m.Key, responses), fillResponses(m.Value, responses))
		}
		return b.Build()
	default:
		return v
	}
}

func fillResponseText(s string, responses value.Value) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, responseMark)
		inside, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(before)
		if found := lookupResponse(inside, responses); !found.IsAbsent() {
			out.WriteString(found.Text())
		}
		s = rest
	}
}

// lookupResponse finds "n:path".
func lookupResponse(expr string, responses value.Value) value.Value {
	number, path, _ := strings.Cut(expr, ":")
	n, err := strconv.Atoi(number)
	if err != nil {
		return value.Value{}
	}
	return responses.At(n).Lookup(path)
}

// rewrite applies f to every string and member name. Members whose names become equal get the suffixes #2, #3 ...
func rewrite(v value.Value, f func(string) string) value.Value {
	switch v.Kind() {
	case value.String:
		s, _ := v.Str()
		return value.Of(f(s))
	case value.Array:
		items := make([]value.Value, 0, v.Len())
		for _, item := range v.Items() {
			items = append(items, rewrite(item, f))
		}
		return value.OfItems(items)
	case value.Object:
		b := value.NewBuilder(v.Len())
		seen := make(map[string]int, v.Len())
		for _, m := range v.Members() {
			if m.Value.IsAbsent() {
				continue
			}
			key := f(m.Key)
			if seen[key]++; seen[key] > 1 {
				key += "#" + strconv.Itoa(seen[key])
			}
			b.Set(key, rewrite(m.Value, f))
		}
		return b.Build()
	default:
		return v
	}
}
