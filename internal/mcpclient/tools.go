package mcpclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/value"
)

// Bounds of what a server says about its tools. Descriptions are in characters, schemas and names in bytes.
const (
	maxTools       = 200
	maxPages       = 50
	maxDescription = 4 << 10
	maxSchema      = 64 << 10
	maxToolName    = 64
	maxServerName  = 20
	sessionTime    = time.Hour // of one request, which may be the stream of a whole conversation
)

// tool is a tool as a model is shown it.
type tool struct {
	shown       string
	description string
	parameters  value.Value
}

// Definition is what a server says about a tool.
type Definition struct {
	Name        string
	Description string
	Schema      string // JSON
}

// Hash is the same for the same definition.
func (d Definition) Hash() string {
	sum := sha256.New()
	for _, text := range []string{d.Name, d.Description, d.Schema} {
		_, _ = sum.Write([]byte(strconv.Itoa(len(text)) + ":" + text)) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// list reads the tools of the server and keeps those that may be used.
func (s *Session) list(ctx context.Context) error {
	defs, schemas, err := s.definitions(ctx)
	if err != nil {
		return err
	}
	pins, err := s.o.Pins.Check(ctx, s.server.Owner, s.server.Pin, defs, s.o.FirstUse)
	if err != nil {
		return err
	}
	s.tools, s.order, s.denied = map[string]*tool{}, nil, nil
	taken := map[string]bool{}
	for i, d := range defs {
		if !pins[i].Approved() {
			s.denied = append(s.denied, pins[i])
			continue
		}
		t := &tool{shown: shownName(s.server.Name, d.Name, taken), description: untrusted.Text(d.Description, maxDescription), parameters: schemas[i]}
		s.tools[d.Name], s.order = t, append(s.order, d.Name)
	}
	if len(defs) > 0 && len(s.order) == 0 {
		return changed("none of the tools of the server is approved")
	}
	return nil
}

// definitions reads what the server says, page by page.
func (s *Session) definitions(ctx context.Context) (defs []Definition, schemas []value.Value, err error) {
	seen := map[string]bool{}
	params := &mcp.ListToolsParams{}
	for range maxPages {
		page, err := s.open.ListTools(ctx, params)
		if err != nil {
			return nil, nil, explain(err, 0)
		}
		for _, t := range page.Tools {
			if t == nil || t.Name == "" || seen[t.Name] {
				continue
			}
			seen[t.Name] = true
			if len(defs) >= maxTools {
				return nil, nil, fault.Limitf("tools", "LIMIT_EXCEEDED(tools): the MCP server has more than %d tools", maxTools)
			}
			schema, err := valueOf(t.InputSchema, 0)
			if err != nil {
				return nil, nil, err
			}
			text := schema.Canonical()
			if len(text) > maxSchema || len(t.Name) > 4*maxToolName || len(t.Description) > 1<<20 {
				continue // a tool that nobody could look at is none
			}
			defs = append(defs, Definition{Name: t.Name, Description: t.Description, Schema: text})
			schemas = append(schemas, objectSchema(schema))
		}
		if page.NextCursor == "" {
			return defs, schemas, nil
		}
		params = &mcp.ListToolsParams{Cursor: page.NextCursor}
	}
	return nil, nil, fault.Limitf("tools", "LIMIT_EXCEEDED(tools): the list of tools of the MCP server has no end")
}

// objectSchema is a schema that models are given: an object, with cleaned descriptions.
func objectSchema(v value.Value) value.Value {
	if !v.IsObject() {
		v = value.Obj()
	}
	if v.GetString("type") != "object" {
		v = v.With("type", value.Of("object"))
	}
	if !v.Get("properties").IsObject() {
		v = v.With("properties", value.Obj())
	}
	return cleaned(v)
}

// cleaned takes invisible characters out of all texts of a schema.
func cleaned(v value.Value) value.Value {
	if text, ok := v.Str(); ok {
		return value.Of(untrusted.Text(text, maxDescription))
	}
	switch {
	case v.IsArray():
		items := make([]value.Value, 0, v.Len())
		for _, it := range v.Items() {
			items = append(items, cleaned(it))
		}
		return value.OfItems(items)
	case v.IsObject():
		members := make([]value.Member, 0, len(v.Members()))
		for _, m := range v.Members() {
			members = append(members, value.M(m.Key, cleaned(m.Value)))
		}
		return value.OfMembers(members)
	}
	return v
}

// shownName is server__tool, within what models take as a name. Names that would be equal get an ending of their own.
func shownName(server, name string, taken map[string]bool) string {
	out := untrusted.Name(server, maxServerName) + "__" + untrusted.Name(name, 4*maxToolName)
	if len(out) > maxToolName || taken[out] {
		sum := sha256.Sum256([]byte(name))
		out = out[:min(len(out), maxToolName-9)] + "_" + hex.EncodeToString(sum[:4])
	}
	taken[out] = true
	return out
}

// valueOf takes over JSON that the SDK has read.
func valueOf(v any, depth int) (value.Value, error) {
	if depth > value.DefaultLimits().Depth {
		return value.Value{}, fault.Limitf("depth", "LIMIT_EXCEEDED(depth): the MCP server sent JSON that is nested too deep")
	}
	switch v := v.(type) {
	case bool:
		return value.OfBool(v), nil
	case string:
		return value.Of(v), nil
	case float64:
		return value.OfNumber(v), nil
	case []any:
		items := make([]value.Value, 0, len(v))
		for _, it := range v {
			one, err := valueOf(it, depth+1)
			if err != nil {
				return value.Value{}, err
			}
			items = append(items, one)
		}
		return value.OfItems(items), nil
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		members := make([]value.Member, 0, len(v))
		for _, name := range names {
			one, err := valueOf(v[name], depth+1)
			if err != nil {
				return value.Value{}, err
			}
			members = append(members, value.M(name, one))
		}
		return value.OfMembers(members), nil
	}
	return value.NullValue(), nil
}

// resultOf is what a model is told of a result: its text, or a list of what it holds. Pictures and sounds are named.
func resultOf(res *mcp.CallToolResult, most int) (value.Value, error) {
	if len(res.InputRequests) > 0 {
		return value.Value{}, fault.Newf(fault.Denied, "the tool asks for input of a user, which no MCP server is given")
	}
	var parts []string
	size := 0
	for _, c := range res.Content {
		part := partOf(c)
		if size += len(part); size > most {
			return value.Value{}, fault.Limitf("result_bytes", "LIMIT_EXCEEDED(result_bytes): the result of the tool has more than %d bytes", most)
		}
		parts = append(parts, part)
	}
	text := untrusted.Text(strings.Join(parts, "\n"), most)
	if res.IsError {
		return value.Value{}, fault.Newf(fault.Unavailable, "%s", untrusted.Text(text, maxDescription))
	}
	if len(parts) == 0 && res.StructuredContent != nil {
		v, err := valueOf(res.StructuredContent, 0)
		if err != nil {
			return value.Value{}, err
		}
		if n := len(v.JSON()); n > most {
			return value.Value{}, fault.Limitf("result_bytes", "LIMIT_EXCEEDED(result_bytes): the result of the tool has more than %d bytes", most)
		}
		return cleaned(v), nil
	}
	return value.Of(text), nil
}

func partOf(c mcp.Content) string {
	switch c := c.(type) {
	case *mcp.TextContent:
		return c.Text
	case *mcp.ImageContent:
		return "[" + c.MIMEType + ", " + strconv.Itoa(len(c.Data)) + " bytes]"
	case *mcp.AudioContent:
		return "[" + c.MIMEType + ", " + strconv.Itoa(len(c.Data)) + " bytes]"
	case *mcp.ResourceLink:
		return c.URI
	case *mcp.EmbeddedResource:
		if c.Resource == nil {
			return ""
		}
		if c.Resource.Text != "" {
			return c.Resource.Text
		}
		return c.Resource.URI
	}
	return ""
}
