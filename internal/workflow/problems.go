package workflow

import (
	"strconv"

	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/schema"
)

// Problems are the faults of the document and those that only the component types know: unknown types, settings that
// break a rule, connections nothing can travel along. names are the known component types, for suggestions.
func (p *Plan) Problems(names []string) agentfile.Problems {
	all := append(agentfile.Problems(nil), p.doc.Problems...)
	for i := range p.nodes {
		n, c := &p.nodes[i], &p.doc.Components[i]
		if !n.known {
			all = append(all, agentfile.Problem{
				Level: agentfile.Error, Pointer: c.Pointer + "/name", Component: c.ID,
				Message: "component " + c.ID + ": " + unknownType(c.Type, names),
			})
			continue
		}
		for _, v := range n.inst.Violations {
			all = append(all, agentfile.Problem{
				Level: agentfile.Error, Pointer: c.Pointer + "/data/" + v.Name, Component: c.ID,
				Message: "component " + c.ID + " (" + c.DisplayName + "): " + v.Message,
			})
		}
	}
	return all
}

func unknownType(name string, known []string) string {
	text := "this program has no component type " + strconv.Quote(name)
	if near := schema.Nearest(name, known); near != "" {
		return text + "; did you mean " + strconv.Quote(near) + "?"
	}
	return text + "; the component fails when it is called"
}
