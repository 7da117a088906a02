package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/value"
)

func (a *app) describe() *cobra.Command {
	return &cobra.Command{
		Use:   "describe FILE",
		Short: "Show what an agent can do and what it may reach",
		Long: "Shows the skills of an agent with their inputs, and what it may reach as far as its file tells: hosts, keys of the\n" +
			"vault, models, code, other agents and triggers. Look at it before running a file from somebody else.",
		Example:           "  sre describe hello.smyth",
		Args:              arguments(1, 1, "one agent file"),
		ValidArgsFunction: smythFiles,
		RunE:              func(c *cobra.Command, args []string) error { return a.runDescribe(c.Context(), args[0]) },
	}
}

func (a *app) runDescribe(ctx context.Context, file string) (err error) {
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	agent, err := rt.LoadFile(ctx, a.path(file))
	if err != nil {
		return err
	}
	doc, sheet := agent.Document(), agent.Document().Sheet()
	if a.json {
		return a.show(value.Obj(
			value.M("id", value.Of(agent.ID())), value.M("name", value.Of(doc.Name)), value.M("version", value.Of(doc.AgentVersion)),
			value.M("description", value.Of(doc.Description)), value.M("skills", skillList(agent.Skills())), value.M("reach", sheetValue(sheet)),
		))
	}
	lines := []string{title(agent) + "  (" + agent.ID() + ")"}
	if doc.Description != "" {
		lines = append(lines, doc.Description)
	}
	lines = append(lines, "", "Skills")
	for _, s := range agent.Skills() {
		lines = append(lines, "  "+signature(s))
		if s.Description != "" {
			lines = append(lines, "      "+strings.Join(strings.Fields(s.Description), " "))
		}
	}
	lines = append(lines, "", "May reach")
	for _, r := range reach(sheet) {
		what := "-"
		if len(r.list) > 0 {
			what = strings.Join(r.list, ", ")
		}
		lines = append(lines, "  "+pad(r.label, 13)+what)
	}
	return a.print(lines...)
}

type reachRow struct {
	key, label string
	list       []string
}

func reach(s agentfile.Sheet) []reachRow {
	return []reachRow{
		{"hosts", "hosts", s.Hosts}, {"keys", "vault keys", s.Keys}, {"tokens", "tokens", s.Tokens}, {"models", "models", s.Models}, {"code", "code in", s.Code},
		{"agents", "agents", s.Agents}, {"mcpServers", "MCP servers", s.Servers}, {"triggers", "triggers", s.Triggers}, {"components", "components", s.Types},
	}
}

func sheetValue(s agentfile.Sheet) value.Value {
	b := value.NewBuilder(9)
	for _, r := range reach(s) {
		b.Set(r.key, value.Strings(r.list))
	}
	return b.Build()
}

func pad(s string, width int) string {
	if len(s) < width {
		return s + strings.Repeat(" ", width-len(s))
	}
	return s + " "
}
