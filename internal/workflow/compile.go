package workflow

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

// Find looks up a component type by the name agent files use.
type Find func(name string) (component.Definition, bool)

// Compile makes a plan of a document. It does not fail: what is wrong with a component is part of the plan and shows
// when that component is called. [Plan.Problems] lists it beforehand.
func Compile(doc *agentfile.Document, find Find, opts Options) *Plan {
	p := &Plan{
		doc: doc, nodes: make([]node, len(doc.Components)), byID: make(map[string]int, len(doc.Components)),
		routes: map[string][]route{}, triggers: map[string]int{}, old: opts.PerComponent, limits: opts.Limits,
	}
	for i := range doc.Components {
		p.addNode(i, &doc.Components[i], find)
	}
	for _, m := range doc.Variables.Members() {
		p.variables = append(p.variables, m.Key)
	}
	for _, c := range doc.Connections {
		p.connect(c)
	}
	p.markBack()
	p.markLoops()
	p.markAsync()
	sum := sha256.Sum256([]byte(doc.Raw.JSON()))
	p.digest = hex.EncodeToString(sum[:])
	return p
}

func (p *Plan) addNode(i int, c *agentfile.Component, find Find) {
	n := &p.nodes[i]
	n.info = &c.Node
	def, known := find(c.Type)
	if known {
		n.known, n.inst = true, def.Compile(c.Settings)
		p.loops = p.loops || n.inst.Traits.Loop
	}
	n.first = p.ports
	n.inputs = make([]port, len(c.Inputs))
	p.ports += len(c.Inputs)
	n.names = make([]string, len(c.Inputs))
	for k := range c.Inputs {
		n.names[k] = c.Inputs[k].Name
		n.inputs[k] = port{def: newFallback(c.Inputs[k].DefaultVal)}
		n.fallback = n.fallback || n.inputs[k].def.set
		if c.Inputs[k].Connected && !c.Inputs[k].Optional && !n.inputs[k].def.set {
			n.required = append(n.required, k)
		}
	}
	if f, ok := c.Settings.Get("concurrency").Num(); ok && n.inst.Traits.Loop {
		n.parallel = int(f)
	}
	p.byID[c.ID] = i
	if n.inst.Traits.Endpoint {
		p.addRoute(i, c)
	}
	if c.Trigger != "" {
		n.trigger = true
		p.triggers["/trigger/"+c.Trigger] = i
	}
}

// addRoute adds an endpoint. Of two with the same method and path the later one wins.
func (p *Plan) addRoute(i int, c *agentfile.Component) {
	method := strings.ToUpper(c.Settings.GetString("method"))
	if method == "" {
		method = "POST"
	}
	path := "/api/" + c.Settings.GetString("endpoint")
	for k := range p.routes[path] {
		if p.routes[path][k].method == method {
			p.routes[path][k].node = i
			return
		}
	}
	p.routes[path] = append(p.routes[path], route{method, i})
}

// connect adds a connection to the group of its target.
func (p *Plan) connect(c agentfile.Connection) {
	from := &p.nodes[c.Source]
	from.outgoing = true
	out := from.info.Outputs[c.Output]
	e := edge{name: out.Name, input: c.Input, handler: out.Name == component.KeyError}
	expr := out.Expression
	if expr == "" {
		expr = out.Name
	}
	e.path = value.ParsePath(expr)
	first := slices.IndexFunc(from.info.Outputs, func(o component.NodePort) bool { return o.Default })
	switch {
	case out.Default:
		e.kind = fromMember
	case first >= 0:
		e.kind, e.base = fromDefault, from.info.Outputs[first].Name
	default:
		e.kind = fromPath
	}
	at := slices.IndexFunc(from.targets, func(t target) bool { return t.node == c.Target })
	if at < 0 {
		at = len(from.targets)
		from.targets = append(from.targets, target{node: c.Target})
	}
	from.targets[at].edges = append(from.targets[at].edges, e)
}
