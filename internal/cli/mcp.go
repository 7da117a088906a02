package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/internal/untrusted"
)

func (a *app) mcp() *cobra.Command {
	return a.group("mcp", "Look at the tools of MCP servers and approve them",
		"What the tools of an MCP server say about themselves is remembered with the first use. A tool that says something else\n"+
			"later, or that is new, is not shown to a model until it is approved. Running servers notice that with the next conversation.",
		"  sre mcp list\n  sre mcp list --changes\n  sre mcp approve files\n  sre mcp approve https://mcp.example.com/ search --team default",
		a.mcpList(), a.mcpApprove())
}

func (a *app) mcpList() *cobra.Command {
	var changes bool
	c := &cobra.Command{
		Use: "list", Short: "List the tools that are known, and what became of them", Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error {
				tools, err := rt.MCPTools(ctx)
				if err != nil {
					return err
				}
				var rows []row
				known := map[string]bool{}
				for _, t := range tools {
					if t.Owner == "" {
						known[t.Server] = true
					}
					if changes && t.Approved() {
						continue
					}
					r := row{{"server", t.Server}, {"team", t.Owner}, {"tool", shownText(t.Tool)}, {"state", t.State()}, {"seen", t.At.Format(time.RFC3339)}, {"definition", t.Seen.Hash()[:12]}}
					if a.json {
						r = append(r, column{"approved description", t.Good.Description}, column{"approved schema", t.Good.Schema}, column{"description", t.Seen.Description}, column{"schema", t.Seen.Schema})
					}
					rows = append(rows, r)
				}
				for _, name := range rt.MCPServers() {
					if !known[name] && !changes {
						rows = append(rows, row{{"server", name}, {"team", ""}, {"tool", ""}, {"state", "not used yet"}, {"seen", ""}, {"definition", ""}})
					}
				}
				if a.json {
					return a.table(rows)
				}
				if len(rows) == 0 {
					return a.print(map[bool]string{true: "nothing waits to be approved", false: "no MCP server is configured or was used"}[changes])
				}
				if err := a.table(rows); err != nil || !changes {
					return err
				}
				for _, t := range tools {
					if !t.Approved() {
						if err := a.print(difference(t)...); err != nil {
							return err
						}
					}
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&changes, "changes", false, "only what waits to be approved, and what it says")
	return c
}

// difference are the lines that tell what a tool says, and what was approved of it.
func difference(t sre.MCPTool) []string {
	lines := []string{"", t.Server + " " + shownText(t.Tool) + ":"}
	if t.Good.Name != "" {
		lines = append(lines, "- "+shownText(t.Good.Description))
		if t.Good.Schema != t.Seen.Schema {
			lines = append(lines, "- "+shownText(t.Good.Schema))
		}
	}
	lines = append(lines, "+ "+shownText(t.Seen.Description))
	if t.Good.Schema != t.Seen.Schema {
		lines = append(lines, "+ "+shownText(t.Seen.Schema))
	}
	return lines
}

// shownText is a text of a stranger on one line. What could not be seen is written out, so that nothing is hidden.
func shownText(s string) string {
	const most = 4 << 10
	quoted := strconv.QuoteToGraphic(s)
	quoted = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	return untrusted.Text(quoted, most)
}

func (a *app) mcpApprove() *cobra.Command {
	var team string
	c := &cobra.Command{
		Use: "approve SERVER [TOOL...]", Short: "Approve tools as they were seen last: those that are named, or all of a server",
		Args: arguments(1, -1, "a server, and tools of it"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withRuntime(c.Context(), func(ctx context.Context, rt *sre.Runtime) error {
				done, err := rt.ApproveMCP(ctx, team, args[0], args[1:]...)
				if err != nil {
					return err
				}
				rows := make([]row, len(done))
				for i, t := range done {
					rows[i] = row{{"server", t.Server}, {"tool", shownText(t.Tool)}, {"definition", t.Good.Hash()[:12]}}
				}
				if len(rows) == 0 && !a.json {
					return a.print("there was nothing to approve")
				}
				return a.table(rows)
			})
		},
	}
	c.Flags().StringVar(&team, "team", "", "the team whose agent named the address of the server; none for a server of the configuration")
	return c
}
