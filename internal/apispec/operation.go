package apispec

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/value"
)

// Operation is one request that a service answers. It is immutable.
type Operation struct {
	Name        string // unique in its document: letters, digits, _ and -, at most 64
	Method      string // GET, POST and so on
	Description string
	Parameters  value.Value // JSON Schema of the arguments, an object

	base   *url.URL
	path   string // with {placeholders}
	params []parameter
	body   bodyKind
	fields []string // of the body; none when it takes any
}

type bodyKind int

const (
	noBody bodyKind = iota
	jsonBody
	formBody
	wholeBody // JSON that is no object: the argument "body"
)

// operation reads an operation. ok is false for one whose body nobody here can write.
func (r *reader) operation(path, method string, item, op value.Value) (out Operation, ok bool, err error) {
	out = Operation{Name: r.name(op.GetString("operationId"), path, method), Method: strings.ToUpper(method), path: path}
	if out.Description = op.GetString("description"); out.Description == "" {
		out.Description = op.GetString("summary")
	}
	out.Description = untrusted.Text(out.Description, maxDescription)
	if out.base, err = r.server(item, op); err != nil {
		return Operation{}, false, err
	}
	args := &arguments{properties: value.NewBuilder(4), required: []string{}, taken: map[string]bool{}}
	params := parametersOf(r, item, op)
	if err := r.take(&out, params, args, inPath, inQuery); err != nil {
		return Operation{}, false, err
	}
	if ok, err = r.bodyOf(op, &out, args); err != nil {
		return Operation{}, false, err
	}
	if err := r.take(&out, params, args, inHeader, inCookie); err != nil {
		return Operation{}, false, err
	}
	for _, p := range params {
		if p.in == refused && !args.taken[p.name] {
			p.arg = p.name
			out.params = append(out.params, p.parameter)
		}
	}
	out.Parameters = args.schema()
	return out, ok, nil
}

// bodyOf adds the members of the body to the arguments.
func (r *reader) bodyOf(op value.Value, out *Operation, args *arguments) (bool, error) {
	body := r.follow(op.Get("requestBody"))
	content := body.Get("content")
	if content.IsNil() || len(content.Members()) == 0 || out.Method == "GET" || out.Method == "HEAD" {
		return true, nil
	}
	var media value.Value
	for _, m := range content.Members() {
		kind, _, _ := strings.Cut(m.Key, ";")
		switch kind = strings.ToLower(strings.TrimSpace(kind)); {
		case kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == "*/*":
			media, out.body = m.Value, jsonBody
		case kind == "application/x-www-form-urlencoded" && out.body == noBody:
			media, out.body = m.Value, formBody
		}
	}
	if out.body == noBody {
		return !body.Get("required").Truthy(), nil
	}
	schema, err := r.expand(media.Get("schema"), nil)
	if err != nil {
		return false, err
	}
	if kind := schema.GetString("type"); kind != "" && kind != "object" {
		out.body = wholeBody
		args.set("body", schema, body.Get("required").Truthy())
		return true, nil
	}
	if all := schema.Get("allOf"); all.Len() > 0 {
		schema = merged(schema, all.Items())
	}
	for _, m := range schema.Get("properties").Members() {
		if m.Value.IsObject() && !out.has(m.Key) {
			args.set(m.Key, m.Value, false)
			out.fields = append(out.fields, m.Key)
		}
	}
	for _, name := range schema.Get("required").Items() {
		if text := name.Text(); !out.has(text) {
			args.required, args.taken[text] = append(args.required, text), true
		}
	}
	return true, nil
}

func (o *Operation) has(name string) bool {
	for _, p := range o.params {
		if p.arg == name {
			return true
		}
	}
	return false
}

// merged puts the members of several object schemas into one.
func merged(schema value.Value, parts []value.Value) value.Value {
	properties, required := value.NewBuilder(4), []value.Value{}
	for _, part := range append([]value.Value{schema}, parts...) {
		for _, m := range part.Get("properties").Members() {
			properties.Set(m.Key, m.Value)
		}
		required = append(required, part.Get("required").Items()...)
	}
	return value.Obj(value.M("properties", properties.Build()), value.M("required", value.OfItems(required)))
}

// name is the name of the tool: the id of the operation, or its path, or its method when the path is empty. Two
// operations never share one.
func (r *reader) name(id, path, method string) string {
	id = untrusted.Name(cmp.Or(id, strings.ReplaceAll(path, "/", "_"), method), maxName-9)
	name := id
	for n := 2; r.taken[name]; n++ {
		if name = id + "_" + method; n > 2 || r.taken[name] {
			name = id + "_" + value.OfInt(n).Text()
		}
	}
	r.taken[name] = true
	return name
}

// server is where an operation is answered: what the document says, relative to where it was found.
func (r *reader) server(item, op value.Value) (*url.URL, error) {
	text := ""
	for _, from := range []value.Value{op, item, r.root} {
		if s := from.Get("servers").Items(); len(s) > 0 && text == "" {
			text = s[0].GetString("url")
			for _, m := range s[0].Get("variables").Members() {
				text = strings.ReplaceAll(text, "{"+m.Key+"}", m.Value.GetString("default"))
			}
		}
	}
	if text == "" { // older documents name a host, or nothing
		text = "/" + strings.Trim(r.root.GetString("basePath"), "/")
		if host := r.root.GetString("host"); host != "" {
			text = r.from.Scheme + "://" + host + text
		}
	}
	u, err := r.from.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fault.Newf(fault.Invalid, "the server %q is no address of the web", untrusted.Text(text, maxTitle))
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u, nil
}
