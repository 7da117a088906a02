package apispec

import (
	"slices"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/value"
)

// parameter is an argument that does not go into the body.
type parameter struct {
	name    string // as the request carries it
	arg     string // of the argument: the name, unless something else in the operation is called so
	in      place
	joined  bool // a list is one value with commas, and so are the members of an object
	needful bool
}

// place is where a request carries a parameter.
type place int

const (
	inQuery place = iota
	inPath
	inHeader
	inCookie
	refused // a header that belongs to the way a request is sent, not to what it asks, and what is no name
)

// placeOf reads a place, and reports whether it is one.
func placeOf(in string) (place, bool) {
	switch in {
	case "query":
		return inQuery, true
	case "path":
		return inPath, true
	case "header":
		return inHeader, true
	case "cookie":
		return inCookie, true
	}
	return 0, false
}

type declared struct {
	parameter
	v value.Value
}

// parametersOf are the parameters of an operation and of its path; the operation's own count where both have one. Names in
// paths and queries are taken by who comes first.
func parametersOf(r *reader, item, op value.Value) []declared {
	var out []declared
	type spot struct {
		name string
		in   place
	}
	seen := map[spot]bool{}
	for _, list := range []value.Value{op.Get("parameters"), item.Get("parameters")} {
		for _, v := range list.Items() {
			v = r.follow(v)
			p := parameter{name: v.GetString("name")}
			in, ok := placeOf(v.GetString("in"))
			key := spot{name: p.name}
			switch p.in = in; in {
			case inHeader:
				key = spot{strings.ToLower(p.name), in}
			case inCookie:
				key.in = in
			}
			if p.name == "" || !ok || seen[key] {
				continue
			}
			seen[key] = true
			if p.joined = in == inHeader; !v.Get("explode").IsAbsent() {
				p.joined = !v.Get("explode").Truthy()
			}
			if in == inHeader && reserved(p.name) || in == inCookie && !token(p.name) {
				p.in = refused
			}
			p.needful = p.in == inPath || p.in != refused && v.Get("required").Truthy()
			out = append(out, declared{p, v})
		}
	}
	return out
}

// take adds the parameters in some places to the arguments of an operation. Whoever comes later and finds its name taken
// gets one that tells its place, too.
func (r *reader) take(out *Operation, from []declared, args *arguments, wanted ...place) error {
	for _, p := range from {
		if !slices.Contains(wanted, p.in) {
			continue
		}
		schema, err := r.expand(p.v.Get("schema"), nil)
		if err != nil {
			return err
		}
		if !schema.IsObject() {
			schema = value.Obj(value.M("type", value.Of("string")))
		}
		if d := p.v.GetString("description"); d != "" {
			schema = schema.With("description", value.Of(untrusted.Text(d, maxDescription)))
		}
		p.arg = p.name
		for args.taken[p.arg] {
			p.arg += "_" + p.v.GetString("in")
		}
		args.set(p.arg, schema, p.needful)
		out.params = append(out.params, p.parameter)
	}
	return nil
}

// arguments collects what an operation can be told.
type arguments struct {
	properties *value.Builder
	required   []string
	taken      map[string]bool
}

func (a *arguments) set(name string, schema value.Value, needful bool) {
	a.properties.Set(name, schema)
	a.taken[name] = true
	if needful {
		a.required = append(a.required, name)
	}
}

// schema returns the arguments as a JSON Schema.
func (a *arguments) schema() value.Value {
	return value.Obj(value.M("type", value.Of("object")), value.M("properties", a.properties.Build()), value.M("required", value.Strings(a.required)))
}

// own are the headers that make the request what it is, and those that prove who sends it. OpenAPI says of three of them
// that a parameter is to be passed over.
const own = " accept accept-encoding authorization connection content-encoding content-length content-type cookie cookie2 expect host keep-alive " +
	"set-cookie te trailer transfer-encoding upgrade via "

// reserved reports whether a header is not for a document to declare: it belongs to the runtime, or is no name at all.
func reserved(name string) bool {
	lower := strings.ToLower(name)
	return !token(name) || strings.Contains(own, " "+lower+" ") || strings.HasPrefix(lower, "proxy-") || strings.HasPrefix(lower, "x-sre-")
}

// token reports whether a name can be that of a header or a cookie, see RFC 9110, section 5.6.2.
func token(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return name != ""
}

// maxField bounds what one header is given, and what one cookie is, in bytes: servers take hardly more.
const maxField = 8 << 10

// headerText writes an argument as the value of a header.
func headerText(p parameter, v value.Value) (string, error) {
	text := texts(v, true)[0]
	if v.IsObject() {
		text = pairs(v, p.joined)
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return "", fault.Hint(fault.Newf(fault.Invalid, "the argument %q goes into a header and has a line break or another control character", p.arg), "leave it out of the text")
		}
	}
	if len(text) > maxField {
		return "", fault.Limitf("header", "LIMIT_EXCEEDED(header): the argument %q goes into a header and has more than %d bytes", p.arg, maxField)
	}
	return strings.Trim(text, " \t"), nil
}

// cookieText writes an argument as a cookie, see RFC 6265, section 4.1.1. What has a space or a comma in it is quoted.
func cookieText(p parameter, text string) (string, error) {
	quote := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ' || c == ',':
			quote = true
		case c < ' ' || c >= 0x7f || c == '"' || c == ';' || c == '\\':
			err := fault.Newf(fault.Invalid, "the argument %q goes into a cookie and has a character that no cookie can have", p.arg)
			return "", fault.Hint(err, `use characters of ASCII without ", ; and \`)
		}
	}
	if len(text) > maxField {
		return "", fault.Limitf("cookie", "LIMIT_EXCEEDED(cookie): the argument %q goes into a cookie and has more than %d bytes", p.arg, maxField)
	}
	if quote {
		text = `"` + text + `"`
	}
	return p.name + "=" + text, nil
}

// pairs writes the members of an object one after the other, as the style "simple" has it.
func pairs(v value.Value, joined bool) string {
	between := "="
	if joined {
		between = ","
	}
	var out []string
	for _, m := range v.Members() {
		out = append(out, m.Key+between+m.Value.Plain())
	}
	return strings.Join(out, ",")
}
