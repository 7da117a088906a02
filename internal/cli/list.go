package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre/value"
)

func (a *app) list() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List what this program is linked with: components, connectors, services",
	}
	c.AddCommand(
		a.listing("components", "List the component types agents can use", a.components),
		a.listing("connectors", "List the connectors services can be configured with", a.connectors),
		a.listing("services", "List the services and what each requires", a.services),
	)
	return c
}

// row is a line of a listing: what scripts read by name, people in columns.
type row []column

type column struct{ name, text string }

func (a *app) listing(name, short string, rows func() []row) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error { return a.table(rows()) },
	}
}

// table prints rows in columns, or as a list of objects.
func (a *app) table(rows []row) error {
	if a.json {
		list := make([]value.Value, len(rows))
		for i, r := range rows {
			b := value.NewBuilder(len(r))
			for _, c := range r {
				b.Set(c.name, value.Of(c.text))
			}
			list[i] = b.Build()
		}
		return a.show(value.OfItems(list))
	}
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, len(c.name))
			}
			widths[i] = max(widths[i], len(c.text))
		}
	}
	for i, r := range rows {
		var head, line strings.Builder
		for k, c := range r {
			head.WriteString(pad(strings.ToUpper(c.name), widths[k]+2))
			line.WriteString(pad(c.text, widths[k]+2))
		}
		if i == 0 {
			if err := a.print(strings.TrimRight(head.String(), " ")); err != nil {
				return err
			}
		}
		if err := a.print(strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) components() []row {
	var rows []row
	for _, d := range a.set.Components {
		rows = append(rows, row{{"name", d.Name}, {"category", string(d.Category)}, {"summary", d.Summary}})
	}
	return sorted(rows)
}

func (a *app) connectors() []row {
	var rows []row
	for _, d := range a.set.Connectors {
		rows = append(rows, row{{"service", d.Kind.KindName()}, {"name", d.Name}, {"summary", d.Summary}})
	}
	return sorted(rows)
}

func (a *app) services() []row {
	var rows []row
	for _, k := range a.set.Kinds {
		var needs []string
		for _, n := range k.Needs() {
			needs = append(needs, n.KindName())
		}
		rows = append(rows, row{{"subsystem", k.KindSubsystem()}, {"name", k.KindName()}, {"requires", strings.Join(needs, ", ")}, {"summary", k.KindSummary()}})
	}
	return sorted(rows)
}

func sorted(rows []row) []row {
	slices.SortFunc(rows, func(a, b row) int {
		if c := strings.Compare(a[0].text, b[0].text); c != 0 {
			return c
		}
		return strings.Compare(a[1].text, b[1].text)
	})
	return rows
}
