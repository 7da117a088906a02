package apispec

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Request makes the request of an operation. Arguments that it does not declare are not sent. Those that would make another
// request of it are [fault.Invalid]: a step to another path, a line break in a header, a header that is not for it to set.
func (o *Operation) Request(ctx context.Context, args value.Value) (*http.Request, error) {
	to := &parts{path: o.path, query: url.Values{}, header: http.Header{}}
	for _, p := range o.params {
		v := args.Get(p.arg)
		if v.IsNil() {
			if p.in == inPath {
				return nil, fault.Newf(fault.Invalid, "the argument %q is missing", p.arg)
			}
			continue
		}
		if err := to.put(p, v); err != nil {
			return nil, err
		}
	}
	path := to.path
	if open := strings.IndexAny(path, "{}"); open >= 0 {
		return nil, fault.Newf(fault.Invalid, "the path %s has a placeholder that is no parameter", o.path)
	}
	u, err := url.Parse(strings.TrimRight(o.base.String(), "/") + "/" + strings.TrimLeft(path, "/"))
	if err != nil || u.Host != o.base.Host || u.Scheme != o.base.Scheme {
		return nil, fault.Newf(fault.Invalid, "the path %s makes no address", o.path)
	}
	if more := to.query.Encode(); more != "" {
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+more, "&")
	}
	data, kind := o.encode(args)
	var body io.Reader
	if data != nil {
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, o.Method, u.String(), body)
	if err != nil {
		return nil, fault.New(fault.Invalid, err)
	}
	maps.Copy(req.Header, to.header)
	if len(to.cookies) > 0 {
		req.Header.Set("Cookie", strings.Join(to.cookies, "; "))
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json, text/plain;q=0.9, */*;q=0.5")
	return req, nil
}

// parts are where the parameters of a request go.
type parts struct {
	path    string // with {placeholders} that are still open
	query   url.Values
	header  http.Header
	cookies []string
}

// put puts an argument into its place.
func (to *parts) put(p parameter, v value.Value) error {
	switch p.in {
	case inPath:
		segment, err := segmentOf(p.arg, v)
		if err != nil {
			return err
		}
		to.path = strings.ReplaceAll(to.path, "{"+p.name+"}", segment)
	case inQuery:
		for _, text := range texts(v, p.joined) {
			to.query.Add(p.name, text)
		}
	case inHeader:
		text, err := headerText(p, v)
		if err != nil {
			return err
		}
		to.header.Set(p.name, text)
	case inCookie:
		list := texts(v, p.joined)
		if v.IsObject() {
			list = []string{pairs(v, true)}
		}
		for _, text := range list {
			cookie, err := cookieText(p, text)
			if err != nil {
				return err
			}
			to.cookies = append(to.cookies, cookie)
		}
	case refused:
		err := fault.Newf(fault.Invalid, "%q is no header or cookie that an operation may set", p.name)
		return fault.Hint(err, "leave the argument out")
	}
	return nil
}

// segmentOf writes an argument as one segment of a path.
func segmentOf(name string, v value.Value) (string, error) {
	text := strings.Join(texts(v, true), ",")
	if text == "" || text == "." || text == ".." {
		return "", fault.Newf(fault.Invalid, "the argument %q is part of a path and cannot be %q", name, text)
	}
	return strings.NewReplacer("{", "%7B", "}", "%7D").Replace(url.PathEscape(text)), nil
}

// texts are the values that a parameter is sent with: one for each item of a list, unless they are joined.
func texts(v value.Value, joined bool) []string {
	if !v.IsArray() {
		return []string{v.Plain()}
	}
	var out []string
	for _, it := range v.Items() {
		out = append(out, it.Plain())
	}
	if joined {
		out = []string{strings.Join(out, ",")}
	}
	return out
}

// encode writes the body, nil for none.
func (o *Operation) encode(args value.Value) (data []byte, kind string) {
	const typeJSON = "application/json"
	switch o.body {
	case jsonBody:
		return []byte(o.members(args).JSON()), typeJSON
	case wholeBody:
		if b := args.Get("body"); !b.IsAbsent() {
			return []byte(b.JSON()), typeJSON
		}
	case formBody:
		form := url.Values{}
		for _, m := range o.members(args).Members() {
			for _, text := range texts(m.Value, false) {
				form.Add(m.Key, text)
			}
		}
		return []byte(form.Encode()), "application/x-www-form-urlencoded"
	}
	return nil, typeJSON
}

// members are the arguments that belong into the body.
func (o *Operation) members(args value.Value) value.Value {
	b := value.NewBuilder(args.Len())
	for _, m := range args.Members() {
		if !o.has(m.Key) && (len(o.fields) == 0 || slices.Contains(o.fields, m.Key)) {
			b.Set(m.Key, m.Value)
		}
	}
	return b.Build()
}
