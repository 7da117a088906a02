package apispec

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Request makes the request of an operation. Arguments that it does not declare are not sent.
func (o *Operation) Request(ctx context.Context, args value.Value) (*http.Request, error) {
	path, query := o.path, url.Values{}
	for _, p := range o.params {
		v := args.Get(p.name)
		if v.IsNil() {
			if p.inPath {
				return nil, fault.Newf(fault.Invalid, "the argument %q is missing", p.name)
			}
			continue
		}
		if p.inPath {
			segment, err := segmentOf(p.name, v)
			if err != nil {
				return nil, err
			}
			path = strings.ReplaceAll(path, "{"+p.name+"}", segment)
			continue
		}
		for _, text := range texts(v, p.joined) {
			query.Add(p.name, text)
		}
	}
	if open := strings.IndexAny(path, "{}"); open >= 0 {
		return nil, fault.Newf(fault.Invalid, "the path %s has a placeholder that is no parameter", o.path)
	}
	u, err := url.Parse(strings.TrimRight(o.base.String(), "/") + "/" + strings.TrimLeft(path, "/"))
	if err != nil || u.Host != o.base.Host || u.Scheme != o.base.Scheme {
		return nil, fault.Newf(fault.Invalid, "the path %s makes no address", o.path)
	}
	if more := query.Encode(); more != "" {
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
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json, text/plain;q=0.9, */*;q=0.5")
	return req, nil
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
