package sre

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/internal/mcpclient"
)

// MCPSession is a connection to an MCP server of the configuration, for one conversation with an agent. It is safe for
// concurrent use.
type MCPSession struct {
	agent   *Agent
	session *mcpclient.Session
}

// OpenMCP connects to a server of the configuration on behalf of the agent, with the keys of its team. A server that the
// team may not use is [fault.NotFound]; one none of whose tools is approved has the code UNTRUSTED_CHANGED. The session
// ends with ctx, and is to be closed.
func (a *Agent) OpenMCP(ctx context.Context, server string) (*MCPSession, error) {
	ctx = access.WithActing(ctx, access.Acting{Candidate: a.Candidate(), Team: a.Team()})
	session, err := a.runtime.openMCP(ctx, a, mcpScheme+server, nil)
	if err != nil {
		return nil, err
	}
	return &MCPSession{a, session}, nil
}

// Tools returns the approved tools of the server, named server__tool, for [ChatOptions]. Secrets of the team are taken out
// of what they answer.
func (s *MCPSession) Tools() []conversation.Tool {
	var out []conversation.Tool
	for _, t := range s.session.Tools() {
		given := s.agent.given(t)
		given.Label = "Calling " + t.Name
		out = append(out, given)
	}
	return out
}

// Close ends the connection, and the program of the server, and waits for that. Calls that are made later fail.
func (s *MCPSession) Close() error { return s.session.Close() }
