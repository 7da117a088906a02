package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/internal/conversation"
)

// lent are the MCP servers whose tools one conversation is offered.
type lent struct {
	open  []*sre.MCPSession
	tools []conversation.Tool
}

// lend connects to servers of the configuration on behalf of an agent. Tools that are not approved are left out, which the
// runtime logs. They are connected until ctx ends or they are closed.
func (a *app) lend(ctx context.Context, agent *sre.Agent, servers []string) (*lent, error) {
	l := &lent{}
	var known []string
	for _, name := range servers {
		name = strings.TrimPrefix(name, "mcp:") // as files of agents write it
		if slices.Contains(known, name) {
			continue
		}
		known = append(known, name)
		session, err := agent.OpenMCP(ctx, name)
		if err != nil {
			_ = l.close() // the error says more
			return nil, err
		}
		l.open = append(l.open, session)
		l.tools = append(l.tools, session.Tools()...)
	}
	return l, nil
}

// release closes what was lent at the end of a command, whose error it keeps.
func (l *lent) release(err *error) {
	if closing := l.close(); *err == nil {
		*err = closing
	}
}

// close ends the connections and waits for that.
func (l *lent) close() error {
	var errs []error
	for _, s := range l.open {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// serverNames completes the name of a server of the configuration.
func (a *app) serverNames(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	rt, err := a.start(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := rt.MCPServers()
	a.stop(rt, &err)
	return names, cobra.ShellCompDirectiveNoFileComp
}
