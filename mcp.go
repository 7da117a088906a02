package sre

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/childprocess"
	"github.com/sre-go/sre/internal/mcpclient"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// mcpSettings are one server of mcp.servers in the configuration: the operator's word, unlike the address in the file of
// an agent.
type mcpSettings struct {
	Command  string      `json:"command" doc:"Program to start, which talks over its standard input and output. It is started without a shell, once for each conversation."`
	Args     []string    `json:"args" doc:"Arguments of the program, as they are."`
	Env      value.Value `json:"env" doc:"Environment of the program: an object of texts. Nothing else is in it; $env(NAME) takes a variable over."`
	URL      string      `json:"url" doc:"Address of the server, instead of command. It may be in a private network."`
	Headers  value.Value `json:"headers" doc:"Headers of every request: an object of texts. {{KEY(name)}} is a key of the vault of the team whose agent uses the server; it is sent to this server only."`
	Auth     value.Value `json:"auth" doc:"{\"oauth\": \"NAME\"}: the access token of a connection of the team whose agent uses the server, made with sre oauth connect, is sent with every request and renewed when it is at its end."`
	Teams    []string    `json:"teams" doc:"Teams whose agents may use the server; * for all, none for nobody."`
	FirstUse bool        `json:"firstUse" default:"true" doc:"Approve what the tools say about themselves the first time. Without it every tool has to be approved with sre mcp approve."`
}

// MCPServer returns the schema of one server of the section mcp, for reference pages.
func MCPServer() schema.Object { return schema.For[mcpSettings]() }

// mcpScheme begins the address of a server of the configuration.
const mcpScheme = "mcp:"

// mcpServers reads the section mcp of a configuration.
func mcpServers(section value.Value) (map[string]mcpSettings, error) {
	out := map[string]mcpSettings{}
	for _, m := range section.Members() {
		if m.Key != "servers" {
			return nil, &fault.Error{Op: "config", Resource: "mcp." + m.Key, Kind: fault.Invalid, Err: schema.UnknownName("member", m.Key, []string{"servers"})}
		}
		for _, server := range m.Value.Members() {
			s, err := mcpServer(server.Key, server.Value)
			if err != nil {
				return nil, &fault.Error{Op: "config", Resource: "mcp.servers." + server.Key, Kind: fault.Invalid, Err: err}
			}
			out[server.Key] = s
		}
	}
	return out, nil
}

func mcpServer(name string, v value.Value) (mcpSettings, error) {
	o := MCPServer()
	if err := o.CheckStrict(v); err != nil {
		return mcpSettings{}, err
	}
	s, err := schema.Decode[mcpSettings](o, v)
	if err != nil {
		return mcpSettings{}, err
	}
	for _, texts := range []value.Value{s.Env, s.Headers} {
		for _, m := range texts.Members() {
			if _, ok := m.Value.Str(); !ok || m.Key == "" || strings.ContainsAny(m.Key, "=\r\n\x00") {
				return mcpSettings{}, fault.Newf(fault.Invalid, "%q is no name with a text", m.Key)
			}
		}
	}
	connection, err := connectionOf(s.Auth)
	if err != nil {
		return mcpSettings{}, err
	}
	for _, m := range s.Headers.Members() {
		if connection != "" && strings.EqualFold(m.Key, "Authorization") {
			return mcpSettings{}, fault.Newf(fault.Invalid, "auth and the header Authorization exclude each other")
		}
	}
	switch u, err := url.Parse(s.URL); {
	case connection != "" && s.URL == "":
		return mcpSettings{}, fault.Newf(fault.Invalid, "auth is for servers with a url")
	case name == "" || strings.ContainsAny(name, " /?#"):
		return mcpSettings{}, fault.Newf(fault.Invalid, "the name of the server must not be empty or hold spaces, /, ? or #")
	case (s.URL == "") == (s.Command == ""):
		return mcpSettings{}, fault.Newf(fault.Invalid, "a server has either a command or a url")
	case s.Command == "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == ""):
		return mcpSettings{}, fault.Newf(fault.Invalid, "the url is no address of the web")
	}
	return s, nil
}

// openMCP connects to the server that a component names, on behalf of an agent: one of the configuration, or one at an
// address of its own, which is asked without any key.
func (rt *Runtime) openMCP(ctx context.Context, by *Agent, address string, call *component.Call) (*mcpclient.Session, error) {
	server, firstUse, err := rt.mcpServer(ctx, by, address)
	if err != nil {
		return nil, err
	}
	l := rt.Limits()
	session, err := mcpclient.Open(ctx, server, mcpclient.Options{
		HTTP: rt.http, Pins: rt.pins, NewID: rt.effects.NewID, FirstUse: firstUse, CallTime: l.RequestTime, Bytes: l.ResponseBytes,
	})
	if err != nil {
		return nil, err
	}
	for _, p := range session.Denied() {
		rt.log.Warn("a tool of an MCP server is not what was approved", "server", p.Server, "tool", p.Tool, "state", p.State(), "agent", by.ID(), "hint", "see sre mcp list")
		if call != nil && call.Logs() {
			call.LogInfo("The tool " + p.Tool + " is left out: it is " + p.State() + " and not approved.")
		}
	}
	return session, nil
}

func (rt *Runtime) mcpServer(ctx context.Context, by *Agent, address string) (s mcpclient.Server, firstUse bool, err error) {
	name, configured := strings.CutPrefix(address, mcpScheme)
	if !configured {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			return s, false, fault.Newf(fault.Invalid, "the address of the MCP server is no address of the web")
		}
		owner := by.Team()
		if owner == "" {
			owner = "agent " + by.ID()
		}
		return mcpclient.Server{Name: u.Hostname(), Owner: owner, Pin: u.Scheme + "://" + u.Host + u.Path, URL: address}, true, nil
	}
	c, known := rt.mcp[name]
	if !known || !slices.Contains(c.Teams, "*") && (by.Team() == "" || !slices.Contains(c.Teams, by.Team())) {
		err := fault.Newf(fault.NotFound, "there is no MCP server %q that this agent may use", name)
		return s, false, fault.Hint(err, "add it to mcp.servers in the configuration, with the team among its teams")
	}
	s = mcpclient.Server{Name: name, Pin: name, URL: c.URL, Near: true, Headers: map[string]secret.Value{}}
	if c.Command != "" {
		s.Command = &childprocess.Command{Path: c.Command, Args: c.Args}
		for _, m := range c.Env.Members() {
			s.Command.Env = append(s.Command.Env, m.Key+"="+m.Value.Text())
		}
	}
	for _, m := range c.Headers.Members() {
		if s.Headers[m.Key], err = by.withKeys(ctx, m.Value.Text()); err != nil {
			return s, false, fmt.Errorf("the header %s of the MCP server %s: %w", m.Key, name, err)
		}
	}
	if connection, err := connectionOf(c.Auth); err != nil {
		return s, false, err
	} else if connection != "" {
		s.Bearer = by.accessToken(connection)
	}
	return s, c.FirstUse, nil
}

// withKeys puts keys of the vault of the agent's team into a text of the operator.
func (a *Agent) withKeys(ctx context.Context, text string) (secret.Value, error) {
	var parts []secret.Value
	for {
		before, rest, found := strings.Cut(text, "{{KEY(")
		if before != "" {
			parts = append(parts, secret.New(before))
		}
		if !found {
			return secret.Join(parts...), nil
		}
		key, after, closed := strings.Cut(rest, ")}}")
		if !closed {
			return secret.Value{}, errors.New("{{KEY( has no end")
		}
		v, err := a.Services().Vault().Get(ctx, key)
		if err != nil {
			return secret.Value{}, err
		}
		parts, text = append(parts, v), after
	}
}

// MCPTool is what is remembered of a tool of an MCP server.
type MCPTool = mcpclient.Pin

// MCPTools returns what is remembered of the tools of MCP servers: which definition was approved, and which was seen last.
func (rt *Runtime) MCPTools(ctx context.Context) ([]MCPTool, error) { return rt.pins.List(ctx) }

// ApproveMCP approves tools of an MCP server as they were seen last, all of them when none is named, and returns those
// that were not approved before. The owner is the team whose agent has named the address of the server, "" for a server
// of the configuration.
func (rt *Runtime) ApproveMCP(ctx context.Context, owner, server string, tools ...string) ([]MCPTool, error) {
	return rt.pins.Approve(ctx, owner, server, tools...)
}

// MCPServers returns the names of the servers of the configuration.
func (rt *Runtime) MCPServers() []string {
	names := make([]string, 0, len(rt.mcp))
	for name := range rt.mcp {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
