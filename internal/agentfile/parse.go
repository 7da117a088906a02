package agentfile

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// Bounds of a file. They are passed in so that one place holds the numbers.
type Bounds struct {
	Bytes      int
	Components int
	Depth      int
	Values     int
}

// maxProblems bounds how many faults of one file are kept.
const maxProblems = 1000

// Parse reads the text of a file. The error is [fault.Invalid] with code INVALID_DEFINITION and lists every fatal
// problem, or [fault.Limit] when the text is over a bound.
func Parse(text []byte, b Bounds) (*Document, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	v, err := value.Decode(text, value.Limits{Bytes: b.Bytes, Depth: b.Depth, Values: b.Values})
	if err != nil {
		if fault.Is(err, fault.Limit) {
			return nil, err
		}
		var syn *value.SyntaxError
		if errors.As(err, &syn) {
			return nil, Problems{{Level: Fatal, Pointer: syn.Pointer, Message: "not valid JSON at byte " + strconv.Itoa(syn.Offset) + ": " + syn.Reason}}.Err(Fatal)
		}
		return nil, err
	}
	return FromValue(v, b)
}

// FromValue reads a document that was decoded already: flat, or wrapped as {"data": {...}, "version": ...}.
func FromValue(v value.Value, b Bounds) (*Document, error) {
	p := parser{bounds: b}
	doc := p.document(v)
	if err := p.problems.Err(Fatal); err != nil {
		return nil, err
	}
	doc.Problems = p.problems
	return doc, nil
}

type parser struct {
	bounds   Bounds
	problems Problems
	byID     map[string]int
}

func (p *parser) add(level Level, pointer, comp, message string) {
	if len(p.problems) < maxProblems {
		p.problems = append(p.problems, Problem{level, pointer, comp, message})
	}
}

// text reads a member that must be a string when present.
func (p *parser) text(v value.Value, key, pointer, comp string) string {
	m := v.Get(key)
	s, ok := m.Str()
	if !ok && !m.IsNil() {
		p.add(Fatal, pointer+"/"+key, comp, key+" must be a string, not "+m.Kind().String())
	}
	return s
}

// looseText reads a member for display, whatever it is.
func looseText(v value.Value, key string) string {
	m := v.Get(key)
	if s, ok := m.Str(); ok {
		return s
	}
	return m.Plain()
}

func (p *parser) document(v value.Value) *Document {
	base := ""
	if !v.IsObject() {
		p.add(Fatal, "", "", "an agent file is one JSON object, not "+v.Kind().String())
		return nil
	}
	if !(v.Get("components").Truthy() && v.Get("connections").Truthy()) && v.Get("data").IsObject() {
		v, base = v.Get("data"), "/data"
	}
	for _, m := range v.Members() {
		for _, known := range []string{"components", "connections", "teamId", "id", "variables"} {
			if m.Key != known && strings.EqualFold(m.Key, known) {
				p.add(Fatal, base+"/"+m.Key, "", strconv.Quote(m.Key)+" differs from "+strconv.Quote(known)+" only in case; names are exact")
			}
		}
	}
	doc := &Document{
		Raw:          v,
		ID:           p.text(v, "id", base, ""),
		Name:         looseText(v, "name"),
		AgentVersion: looseText(v, "agentVersion"),
		ClaimedTeam:  looseText(v, "teamId"),
		Behavior:     looseText(v, "behavior"),
		DefaultModel: v.Get("defaultModel"),
		Settings:     v.Get("settings"),
		DebugSession: v.Get("debugSessionEnabled").Truthy(),
	}
	if doc.Name == "" {
		doc.Name = v.Get("templateInfo").GetString("name")
	}
	doc.Description = looseText(v, "shortDescription")
	if doc.Description == "" {
		doc.Description = looseText(v, "description")
	}
	switch vars := v.Get("variables"); {
	case vars.IsObject():
		doc.Variables = vars
	case !vars.IsNil():
		p.add(Fatal, base+"/variables", "", "variables must be an object of texts")
	}
	p.components(doc, v.Get("components"), base+"/components")
	p.connections(doc, v.Get("connections"), base+"/connections")
	p.endpoints(doc)
	return doc
}

func (p *parser) components(doc *Document, list value.Value, pointer string) {
	if !list.IsArray() {
		p.add(Fatal, pointer, "", "components must be an array")
		return
	}
	items := list.Items()
	if len(items) > p.bounds.Components {
		p.add(Fatal, pointer, "", "an agent has at most "+strconv.Itoa(p.bounds.Components)+" components, this one has "+strconv.Itoa(len(items)))
		return
	}
	p.byID = make(map[string]int, len(items))
	doc.Components = make([]Component, 0, len(items))
	for i, it := range items {
		at := pointer + "/" + strconv.Itoa(i)
		c := p.component(it, at)
		if first, dup := p.byID[c.ID]; dup {
			p.add(Fatal, at+"/id", c.ID, "component id "+strconv.Quote(c.ID)+" is used already by component "+strconv.Itoa(first))
		}
		p.byID[c.ID] = i
		doc.Components = append(doc.Components, c)
	}
}

func (p *parser) component(v value.Value, at string) Component {
	if !v.IsObject() {
		p.add(Fatal, at, "", "a component is an object, not "+v.Kind().String())
		return Component{Pointer: at}
	}
	id := p.text(v, "id", at, "")
	if id == "" {
		p.add(Fatal, at+"/id", "", "a component needs an id")
	}
	c := Component{Pointer: at}
	c.Template = v.Get("template")
	c.ID = id
	c.Type = p.text(v, "name", at, id)
	if c.Type == "" {
		p.add(Fatal, at+"/name", id, "a component needs the name of its type")
	}
	c.DisplayName = looseText(v, "displayName")
	if c.DisplayName == "" {
		c.DisplayName = c.Type
	}
	c.Title = looseText(v, "title")
	c.Settings = v.Get("data")
	if !c.Settings.IsObject() {
		if !c.Settings.IsNil() {
			p.add(Fatal, at+"/data", id, "data holds the settings of a component and must be an object")
		}
		c.Settings = value.Obj()
	}
	c.Trigger = c.Settings.GetString("triggerEndpoint")
	c.Inputs = p.ports(v.Get("inputs"), at+"/inputs", id)
	c.Outputs = p.ports(v.Get("outputs"), at+"/outputs", id)
	return c
}

func (p *parser) ports(list value.Value, pointer, comp string) []component.NodePort {
	if list.IsNil() {
		return nil
	}
	if !list.IsArray() {
		p.add(Fatal, pointer, comp, "must be an array")
		return nil
	}
	ports := make([]component.NodePort, 0, list.Len())
	for i, it := range list.Items() {
		at := pointer + "/" + strconv.Itoa(i)
		if !it.IsObject() {
			p.add(Fatal, at, comp, "an input or output is an object, not "+it.Kind().String())
			continue
		}
		port := component.NodePort{
			Name:        p.text(it, "name", at, comp),
			Type:        looseText(it, "type"),
			Description: looseText(it, "description"),
			Expression:  looseText(it, "expression"),
			DefaultVal:  it.Get("defaultVal"),
			Optional:    it.Get("optional").Truthy(),
			Default:     it.Get("default").Truthy(),
			IsFile:      it.Get("isFile").Truthy(),
		}
		if port.Name == "" {
			p.add(Fatal, at+"/name", comp, "an input or output needs a name")
		}
		ports = append(ports, port)
	}
	return ports
}

func (p *parser) connections(doc *Document, list value.Value, pointer string) {
	if list.IsNil() {
		return
	}
	if !list.IsArray() {
		p.add(Fatal, pointer, "", "connections must be an array")
		return
	}
	for i, it := range list.Items() {
		at := pointer + "/" + strconv.Itoa(i)
		if !it.IsObject() {
			p.add(Fatal, at, "", "a connection is an object, not "+it.Kind().String())
			continue
		}
		src, okSrc := p.end(it, "sourceId", at)
		dst, okDst := p.end(it, "targetId", at)
		if !okSrc || !okDst {
			continue
		}
		source, target := &doc.Components[src], &doc.Components[dst]
		out, ok := p.index(it, "sourceIndex", at, source.ID, "output", source.Outputs)
		if !ok {
			continue
		}
		if in, isNum := it.Get("targetIndex").Num(); isNum && in == Whole {
			doc.Connections = append(doc.Connections, Connection{src, out, dst, Whole})
			continue
		}
		in, ok := p.index(it, "targetIndex", at, target.ID, "input", target.Inputs)
		if !ok {
			continue
		}
		target.Inputs[in].Connected = true
		source.Outputs[out].Connected = true
		doc.Connections = append(doc.Connections, Connection{src, out, dst, in})
	}
}

// end resolves one end of a connection to the index of a component.
func (p *parser) end(v value.Value, key, at string) (int, bool) {
	id, isText := v.Get(key).Str()
	if !isText {
		p.add(Fatal, at+"/"+key, "", key+" must be the id of a component")
		return 0, false
	}
	i, ok := p.byID[id]
	if !ok {
		ids := make([]string, 0, len(p.byID))
		for known := range p.byID {
			ids = append(ids, known)
		}
		msg := "the connection leads to component " + strconv.Quote(id) + ", which does not exist"
		if near := schema.Nearest(id, ids); near != "" {
			msg += "; did you mean " + strconv.Quote(near) + "?"
		}
		p.add(Fatal, at+"/"+key, id, msg)
	}
	return i, ok
}

// index resolves an index or a name of an input or output.
func (p *parser) index(v value.Value, key, at, comp, what string, ports []component.NodePort) (int, bool) {
	m := v.Get(key)
	if n, ok := m.Num(); ok {
		if n != math.Trunc(n) || n < 0 || n >= float64(len(ports)) {
			p.add(Fatal, at+"/"+key, comp, "component "+strconv.Quote(comp)+" has no "+what+" with the index "+value.FormatNumber(n)+"; it has "+strconv.Itoa(len(ports)))
			return 0, false
		}
		return int(n), true
	}
	name, ok := m.Str()
	if !ok {
		p.add(Fatal, at+"/"+key, comp, key+" must be the index or the name of an "+what)
		return 0, false
	}
	names := make([]string, len(ports))
	for i := range ports {
		if ports[i].Name == name {
			return i, true
		}
		names[i] = ports[i].Name
	}
	p.add(Fatal, at+"/"+key, comp, "component "+strconv.Quote(comp)+": "+schema.UnknownName(what, name, names).Error())
	return 0, false
}

// endpoints reports endpoints that cannot be told apart. Which of two wins is the later one, as in the reference.
func (p *parser) endpoints(doc *Document) {
	seen := make(map[string]string)
	for i := range doc.Components {
		c := &doc.Components[i]
		if c.Type != "APIEndpoint" {
			continue
		}
		method := strings.ToUpper(c.Settings.GetString("method"))
		if method == "" {
			method = "POST"
		}
		key := method + " " + c.Settings.GetString("endpoint")
		if other, dup := seen[key]; dup {
			p.add(Error, c.Pointer+"/data/endpoint", c.ID, "endpoint "+key+" is served already by component "+strconv.Quote(other)+"; give one of them another name")
		}
		seen[key] = c.ID
	}
}
