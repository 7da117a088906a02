package agentfile

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/sre-go/sre/value"
)

// Sheet says what an agent may reach, as far as its file tells: what to look at before it is trusted.
type Sheet struct {
	Hosts     []string // that its settings name; "(from data)" when a URL is made of inputs
	Keys      []string // of the vault
	Tokens    []string // entries of the managed vault whose OAuth tokens it sends
	Models    []string
	Agents    []string // that it calls
	Servers   []string // MCP servers whose tools it uses
	Code      []string // components that run code of the file
	Triggers  []string // paths that start it from outside
	Types     []string // component types, sorted
	Variables []string
}

// anyHost stands for a host that is only known when the agent runs.
const anyHost = "(from data)"

var (
	keyReference = regexp.MustCompile(`\{\{KEY\(([^)]*)\)\}\}`)
	urlStart     = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>\\]+`)
)

// codeTypes are the component types that run code from the file.
func codeTypes() []string { return []string{"ServerlessCode", "ECMASandbox", "Code", "ComponentHost"} }

// Sheet reads the document for everything it may reach.
func (d *Document) Sheet() Sheet {
	var s Sheet
	for i := range d.Components {
		c := &d.Components[i]
		s.Types = append(s.Types, c.Type)
		if slices.Contains(codeTypes(), c.Type) {
			s.Code = append(s.Code, c.ID)
		}
		if c.Trigger != "" {
			s.Triggers = append(s.Triggers, "/trigger/"+c.Trigger)
		}
		if id := c.Settings.GetString("agentId"); id != "" {
			s.Agents = append(s.Agents, id)
		}
		if server := c.Settings.GetString("mcpUrl"); server != "" {
			s.Servers = append(s.Servers, server)
		}
		for _, key := range []string{"model", "openAiModel"} {
			m := c.Settings.Get(key)
			if m.IsObject() {
				m = m.Get("modelId") // one that the file describes itself
			}
			if id, _ := m.Str(); id != "" {
				s.Models = append(s.Models, id)
			}
		}
		s.texts(c.Settings)
		s.request(c, d.Variables)
	}
	for _, m := range d.Variables.Members() {
		s.Variables = append(s.Variables, m.Key)
		s.texts(m.Value)
	}
	for _, list := range []*[]string{&s.Hosts, &s.Keys, &s.Tokens, &s.Models, &s.Agents, &s.Servers, &s.Code, &s.Triggers, &s.Types} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return s
}

// request looks at what an APICall asks: the host of an address that begins with a placeholder, and its tokens.
func (s *Sheet) request(c *Component, variables value.Value) {
	if c.Type != "APICall" {
		return
	}
	address := c.Settings.GetString("url")
	if before, _, dynamic := strings.Cut(address, "{{"); dynamic && !strings.Contains(before, "://") {
		for _, m := range variables.Members() {
			if text, ok := m.Value.Str(); ok {
				address = strings.ReplaceAll(address, "{{"+m.Key+"}}", text)
			}
		}
		host := anyHost
		if u := urlStart.FindString(address); u != "" && strings.HasPrefix(strings.TrimSpace(address), u) {
			host = hostOf(u)
		}
		s.Hosts = append(s.Hosts, host)
	}
	connection, service := c.Settings.GetString("oauth_con_id"), c.Settings.GetString("oauthService")
	switch {
	case connection != "" && connection != "None":
		s.Tokens = append(s.Tokens, connection)
	case service != "" && service != "None":
		s.Tokens = append(s.Tokens, "OAUTH_"+c.ID+"_TOKENS")
	}
}

// texts looks through all texts of a value.
func (s *Sheet) texts(v value.Value) {
	for _, m := range v.Members() {
		s.texts(m.Value)
	}
	for _, it := range v.Items() {
		s.texts(it)
	}
	text, ok := v.Str()
	if !ok {
		return
	}
	for _, m := range keyReference.FindAllStringSubmatch(text, -1) {
		s.Keys = append(s.Keys, m[1])
	}
	for _, u := range urlStart.FindAllString(text, -1) {
		s.Hosts = append(s.Hosts, hostOf(u))
	}
}

func hostOf(u string) string {
	_, rest, _ := strings.Cut(u, "://")
	authority, _, _ := strings.Cut(rest, "/")
	if strings.Contains(authority, "{{") {
		return anyHost
	}
	parsed, err := url.Parse(u[:len(u)-len(rest)] + authority)
	if err != nil || parsed.Host == "" {
		return anyHost
	}
	return parsed.Host
}
