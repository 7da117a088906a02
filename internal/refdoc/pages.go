package refdoc

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/schema"
)

// Limits describes every limit.
func Limits() Page {
	b := head("Limits", "Every loop, buffer and wait is bounded. Errors cite the name of a limit, as in `LIMIT_EXCEEDED(steps)`; the section\n`limits` of [the configuration](../guides/configuration.md) and variables such as `SRE_LIMIT_STEPS` change it.")
	b.WriteString("| name | default | bounds |\n|---|---|---|\n")
	for _, l := range limits.Default().List() {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", l.Name, l.Value, l.Meaning)
	}
	return Page{"limits.md", b.String()}
}

// Configuration describes the sections of the configuration that have settings of their own.
func Configuration() Page {
	b := head("Sections of the configuration", "What stands beside `services` and `limits`.")
	fmt.Fprintf(b, "## egress\n\nWhat agents and connectors may reach over the network.\n\n%s", schema.For[egress.Policy]().Markdown())
	fmt.Fprintf(b, "\n## audit\n\nThe record of what was refused and of secrets that were handed out.\n\n%s", sre.AuditSettings().Markdown())
	fmt.Fprintf(b, "\n## mcp.servers.NAME\n\nMCP servers of the operator. Agents name one as `mcp:NAME`.\n\n%s", sre.MCPServer().Markdown())
	fmt.Fprintf(b, "\n## compatibility\n\nBehaviour of the TypeScript runtime that is switched on.\n\n%s", sre.Compatibility().Markdown())
	return Page{"configuration.md", b.String()}
}

// Commands describes a tree of commands.
func Commands(root *cobra.Command) Page {
	b := head("Commands", root.Long)
	b.WriteString("Flags of every command:\n\n")
	writeFlags(b, root.PersistentFlags())
	for _, c := range root.Commands() {
		writeCommand(b, c)
	}
	b.WriteString("\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, e := range exits() {
		fmt.Fprintf(b, "| %d | %s |\n", e.code, e.meaning)
	}
	return Page{"commands.md", b.String()}
}

func writeCommand(b *strings.Builder, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
		return
	}
	if c.HasSubCommands() {
		for _, sub := range c.Commands() {
			writeCommand(b, sub)
		}
		return
	}
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n\n%s\n", c.CommandPath(), c.UseLine(), text)
	if c.LocalNonPersistentFlags().HasFlags() {
		b.WriteString("\n")
		writeFlags(b, c.LocalNonPersistentFlags())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```console\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
	}
}

func writeFlags(b *strings.Builder, flags *pflag.FlagSet) {
	b.WriteString("| flag | |\n|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		usage := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(b, "| `--%s` | %s |\n", f.Name, usage)
	})
}
