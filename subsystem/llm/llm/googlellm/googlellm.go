// Package googlellm asks models of Google: Gemini and Imagen by the Gemini API, and the same in a project of Google Cloud by
// Vertex AI.
//
// Both speak one interface, generateContent, at different addresses and with different credentials, so one client serves
// two connectors, GoogleAI and VertexAI. It is plain JSON over the way out of the runtime: the provider's library brings
// its own ways to find credentials and to reach the network, and those of the operator are no tenant's. The interface is
// described at https://ai.google.dev/api/generate-content.
package googlellm

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
)

type settings struct {
	BaseURL string `json:"baseURL" doc:"Address of the interface, https://generativelanguage.googleapis.com when empty; a model may name another one."`
}

type cloudSettings struct {
	BaseURL  string `json:"baseURL" doc:"Address of the interface, that of the location when empty; a model may name another one."`
	Project  string `json:"project" doc:"Project of models that name none."`
	Location string `json:"location" doc:"Location of models that name none, such as europe-west4; global when empty."`
}

// Gemini describes the connector GoogleAI.
var Gemini = connector.Define(llm.Kind, "GoogleAI", "Asks models of Google by the Gemini API.",
	func(_ context.Context, env connector.Env, s settings) (llm.Connector, error) {
		return &client{env: env, settings: cloudSettings{BaseURL: s.BaseURL}}, nil
	})

// Vertex describes the connector VertexAI.
var Vertex = connector.Define(llm.Kind, "VertexAI", "Asks models of Google in a project of Google Cloud.",
	func(_ context.Context, env connector.Env, s cloudSettings) (llm.Connector, error) {
		return &client{env: env, settings: s, cloud: true, tokens: newTokens()}, nil
	})

// home is the address of the Gemini API.
const home = "https://generativelanguage.googleapis.com"

// client is the connector of one of the two.
type client struct {
	env      connector.Env
	settings cloudSettings
	cloud    bool
	tokens   *tokens // of service accounts, nil outside the cloud
}

// route is how one model is asked.
type route struct {
	llm.Rest
	ctx    context.Context
	root   string // address without a path
	model  string // address of the model, to which ":method" is appended
	header http.Header
}

// Generate implements [llm.Connector].
func (c *client) Generate(ctx context.Context, call *llm.Call) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		if err := c.generate(ctx, call, yield); err != nil {
			yield(nil, err)
		}
	}
}

func (c *client) generate(ctx context.Context, call *llm.Call, yield func(llm.Part, error) bool) error {
	to, err := c.route(ctx, &call.Target, call.Credential)
	if err != nil {
		return err
	}
	sent, done, err := c.files(to, call.Messages)
	if err != nil {
		return err
	}
	defer done()
	w := writer{cloud: c.cloud, names: newNames(call.Tools), files: sent}
	body, err := w.request(call)
	if err != nil {
		return err
	}
	r := reader{env: c.env, raw: call.Raw, names: w.names, yield: yield}
	if !call.Partial {
		answer, err := to.Ask(to.ctx, to.model+":generateContent", to.header, body)
		if err != nil {
			return err
		}
		if more, err := r.read(answer); !more || err != nil {
			return err
		}
		return r.end()
	}
	for data, err := range to.Events(to.ctx, to.model+":streamGenerateContent?alt=sse", to.header, body) {
		if err != nil {
			return err
		}
		piece, err := to.Decode(data)
		if err != nil {
			return err
		}
		if more, err := r.read(piece); !more || err != nil {
			return err
		}
	}
	return r.end()
}

// route finds where a model is and how it is asked. Keys stay here: the request carries stand-ins that the door to the
// network fills when the host may see them.
func (c *client) route(ctx context.Context, target *models.Model, cred llm.Credential) (*route, error) {
	to := &route{header: http.Header{}, Rest: llm.Rest{HTTP: c.env.HTTP, Clock: c.env.Effects, Refused: c.refused(target), Bytes: c.env.Bounds().ResponseBytes}}
	base, own := c.address(target)
	slots := secret.NewSlots(c.env.Effects.NewID())
	to.ctx = limits.WithRequestTime(secret.WithSlots(ctx, slots), c.env.Bounds().ModelTime)
	path := ""
	if c.cloud {
		known, err := readAccount(cred)
		if err != nil {
			return nil, err
		}
		place, host, err := c.place(target, known)
		if err != nil {
			return nil, err
		}
		if base == "" {
			base = host
		}
		token, err := c.token(ctx, known)
		if err != nil {
			return nil, err
		}
		to.header.Set("Authorization", "Bearer "+slots.Put(token))
		path = place
	} else {
		key, err := cred.Key()
		if err != nil {
			return nil, err
		}
		if base == "" {
			base = home
		}
		to.header.Set("X-Goog-Api-Key", slots.Put(key))
		path = "/v1beta/" + resource(target.ModelID, "models/")
	}
	if !own {
		to.ctx = llm.Reach(to.ctx, target, base)
	}
	to.root = strings.TrimRight(base, "/")
	for _, version := range []string{"/v1beta", "/v1"} { // written into an address by habit
		to.root = strings.TrimSuffix(to.root, version)
	}
	to.model = to.root + path
	return to, nil
}

// address returns the address that a model, or else the operator, names instead of the usual one, and whether it is in
// settings of a team's or a caller's model.
func (c *client) address(m *models.Model) (base string, own bool) {
	if m.BaseURL != "" {
		return m.BaseURL, m.TeamOwn
	}
	if base := m.Settings.GetString("apiEndpoint"); base != "" {
		if !strings.Contains(base, "://") {
			base = "https://" + base
		}
		return base, m.TeamOwn
	}
	return c.settings.BaseURL, false
}

// place returns the path of a model in a project, and the address of its location.
func (c *client) place(target *models.Model, a *account) (path, host string, err error) {
	project := first(target.Settings.GetString("projectId"), c.settings.Project, a.project)
	location := first(target.Settings.GetString("region"), target.Settings.GetString("location"), c.settings.Location, "global")
	if project == "" {
		err := fault.Newf(fault.Invalid, "the project of model %q is not known", target.ID)
		return "", "", fault.Hint(err, "set projectId in the settings of the model, or project in those of the connector VertexAI")
	}
	for _, text := range []string{project, location} {
		if strings.ContainsFunc(text, func(r rune) bool {
			return r != '-' && r != ':' && r != '.' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
		}) {
			return "", "", fault.Hint(fault.Newf(fault.Invalid, "%q is neither a project nor a location", text), "write them like my-project and europe-west4")
		}
	}
	if strings.ContainsAny(location, ".:") { // it becomes a part of a host name
		return "", "", fault.Hint(fault.Newf(fault.Invalid, "%q is no location", location), "locations are written like europe-west4")
	}
	host = "https://" + location + "-aiplatform.googleapis.com"
	if location == "global" {
		host = "https://aiplatform.googleapis.com"
	}
	if strings.HasPrefix(target.ModelID, "projects/") { // an endpoint or a tuned model of one's own
		return "/v1/" + resource(target.ModelID, ""), host, nil
	}
	return "/v1/projects/" + project + "/locations/" + location + "/" + resource(target.ModelID, "publishers/google/models/"), host, nil
}

// resource is the path of a model; ids without a folder are in the usual one.
func resource(id, folder string) string {
	if strings.Contains(id, "/") {
		folder = ""
	}
	parts := strings.Split(id, "/")
	for i, p := range parts {
		if parts[i] = url.PathEscape(p); p == "." || p == ".." {
			parts[i] = "_" // would lead elsewhere
		}
	}
	return folder + strings.Join(parts, "/")
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

var (
	_ llm.Connector  = (*client)(nil)
	_ llm.Embedder   = (*client)(nil)
	_ llm.ImageMaker = (*client)(nil)
)
