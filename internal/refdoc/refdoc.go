// Package refdoc writes the reference pages from the code: component types, connectors, services, limits, configuration
// and commands. A test fails when a page is stale.
package refdoc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
)

// Page is one generated page.
type Page struct {
	Name string // of the file
	Text string // Markdown
}

// head begins every page.
func head(title, intro string) *strings.Builder {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", title, intro)
	return &b
}

// Components describes the component types of a set.
func Components(set sre.Set) Page {
	b := head("Component types", "What agents are made of. Settings are the members of `data` of a component in an agent file.")
	defs := slices.Clone(set.Components)
	slices.SortFunc(defs, func(a, c component.Definition) int {
		return cmp.Or(cmp.Compare(a.Category, c.Category), cmp.Compare(a.Name, c.Name))
	})
	b.WriteString("| type | category | |\n|---|---|---|\n")
	for _, d := range defs {
		fmt.Fprintf(b, "| [%s](#%s) | %s | %s |\n", d.Name, strings.ToLower(d.Name), d.Category, d.Summary)
	}
	for _, d := range defs {
		writeComponent(b, d)
	}
	return Page{"components.md", b.String()}
}

func writeComponent(b *strings.Builder, d component.Definition) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", d.Name, d.Summary)
	if d.Alias != "" {
		fmt.Fprintf(b, "\nOlder files call it `%s`.\n", d.Alias)
	}
	if d.Doc != "" {
		fmt.Fprintf(b, "\n%s\n", d.Doc)
	}
	writePorts(b, "input", d.Inputs)
	writePorts(b, "output", d.Outputs)
	writeSettings(b, d.Settings.Markdown())
	if t := traits(d.Traits); t != "" {
		fmt.Fprintf(b, "\n%s\n", t)
	}
}

func writePorts(b *strings.Builder, what string, ports []component.Port) {
	if len(ports) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s | type | |\n|---|---|---|\n", what)
	for _, p := range ports {
		typ, doc := p.Type, p.Doc
		if typ == "" {
			typ = "Any"
		}
		if p.Optional {
			doc += " Optional."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", p.Name, typ, strings.TrimSpace(doc))
	}
}

func writeSettings(b *strings.Builder, table string) {
	if strings.Count(table, "\n") > 2 {
		fmt.Fprintf(b, "\n%s", table)
	}
}

// traits says in words how the engine treats a type.
func traits(t component.Traits) string {
	switch {
	case t.Endpoint:
		return "A request enters the agent here."
	case t.Loop:
		return "It is called once for each item, and once more at the end."
	case t.Fork:
		return "What follows it runs in the background."
	}
	return ""
}

// Connectors describes the connectors of a set by service.
func Connectors(set sre.Set) Page {
	b := head("Connectors", "What services can be configured with. Settings stand under `Settings` of a connector in [the configuration](../guides/configuration.md).")
	defs := slices.Clone(set.Connectors)
	slices.SortFunc(defs, func(a, c connector.Definition) int {
		return cmp.Or(cmp.Compare(a.Kind.KindName(), c.Kind.KindName()), cmp.Compare(a.Name, c.Name))
	})
	service := ""
	for _, d := range defs {
		if name := d.Kind.KindName(); name != service {
			service = name
			fmt.Fprintf(b, "## %s\n\n%s\n\n", name, d.Kind.KindSummary())
		}
		fmt.Fprintf(b, "### %s: %s\n\n%s\n", service, d.Name, d.Summary)
		if d.Doc != "" {
			fmt.Fprintf(b, "\n%s\n", d.Doc)
		}
		writeSettings(b, d.Settings.Markdown())
		b.WriteString("\n")
	}
	return Page{"connectors.md", strings.TrimRight(b.String(), "\n") + "\n"}
}

// Services describes the services of a set.
func Services(set sre.Set) Page {
	b := head("Services", "The system calls of agents. Each is booted after those it requires.")
	kinds := slices.Clone(set.Kinds)
	slices.SortFunc(kinds, func(a, c connector.AnyKind) int {
		return cmp.Or(cmp.Compare(a.KindSubsystem(), c.KindSubsystem()), cmp.Compare(a.KindName(), c.KindName()))
	})
	b.WriteString("| subsystem | service | requires | |\n|---|---|---|---|\n")
	for _, k := range kinds {
		var needs []string
		for _, n := range k.Needs() {
			needs = append(needs, n.KindName())
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", k.KindSubsystem(), k.KindName(), strings.Join(needs, ", "), k.KindSummary())
	}
	return Page{"services.md", b.String()}
}
