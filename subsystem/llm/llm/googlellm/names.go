package googlellm

import (
	"strconv"
	"strings"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

// names are the names of tools as the provider takes them: letters, digits and few signs, 64 at most, beginning with a
// letter.
type names struct {
	to, from map[string]string
}

const longestName = 64

func newNames(tools []llm.ToolSpec) names {
	n := names{to: make(map[string]string, len(tools)), from: make(map[string]string, len(tools))}
	for _, t := range tools { // those that need no change first: nobody else gets their names
		if fit(t.Name) == t.Name {
			n.to[t.Name], n.from[t.Name] = t.Name, t.Name
		}
	}
	for _, t := range tools {
		if _, known := n.to[t.Name]; known {
			continue
		}
		name := fit(t.Name)
		for i := 2; n.from[name] != ""; i++ {
			end := "_" + strconv.Itoa(i)
			name = fit(t.Name)
			name = name[:min(len(name), longestName-len(end))] + end
		}
		n.to[t.Name], n.from[name] = name, t.Name
	}
	return n
}

// out returns the name for the provider.
func (n names) out(name string) string {
	if known, ok := n.to[name]; ok {
		return known
	}
	return fit(name) // of a tool that is not offered any more
}

// back returns the name that the provider was given for a tool.
func (n names) back(name string) string {
	if known, ok := n.from[name]; ok {
		return known
	}
	return name
}

func fit(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '_'
	}, name)
	if name == "" || name[0] != '_' && (name[0] < 'A' || name[0] > 'Z') && (name[0] < 'a' || name[0] > 'z') {
		name = "_" + name
	}
	return name[:min(len(name), longestName)]
}
