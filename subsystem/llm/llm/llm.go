// Package llm asks models.
//
// A caller names a model and gets a stream of parts, whoever provides the model: text, thinking, tool calls, images,
// usage, and at the end the reason why it ended. The service finds the model, the credential and the connector; a
// connector only translates and streams. What a stream promises is enforced here, once for all connectors: see
// [Connector].
//
// A model is never trusted: a tool call is passed on only when the answer is complete, and an answer that breaks off is
// an error, not a short answer.
package llm

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/subsystem/security/account"
	"github.com/sre-go/sre/subsystem/security/managedvault"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// Kind is the LLM service. The id of a connector is the name of the provider that models give.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "LLM",
	Subsystem: "llm",
	Summary:   "Asks models.",
	Requires:  []connector.AnyKind{account.Kind, vault.Kind, managedvault.Kind, models.Kind},
	Build:     build,
}

// Connector speaks to one provider. Its methods are safe for concurrent use.
type Connector interface {
	// Generate streams an answer: parts, then either a [Finish] as the last of them or an error, then nothing more. The
	// sequence is ranged over once. Stopping early, and the end of ctx, end the request.
	//
	// Text and thinking come as they arrive; a tool call comes whole; a [Usage] holds the totals so far. What the
	// provider refuses is a [ProviderError] with a kind.
	Generate(ctx context.Context, call *Call) iter.Seq2[Part, error]
}

// Literal is implemented by connectors that answer with what they are asked: instructions about the form of an answer
// would only come back.
type Literal interface {
	// RepeatsPrompt does nothing; it is what says so.
	RepeatsPrompt()
}

// Embedder is implemented by connectors that turn texts into vectors.
type Embedder interface {
	// Embed returns a vector for each text, in order.
	Embed(ctx context.Context, call *EmbedCall) (Embeddings, error)
}

// ImageMaker is implemented by connectors that make and edit images.
type ImageMaker interface {
	// MakeImages streams [Image] parts, a [Usage] and a [Finish], under the rules of Generate.
	MakeImages(ctx context.Context, call *ImageCall) iter.Seq2[Part, error]
}

// Service is the LLM service over the connectors of all providers. It has no operations; bind it to a candidate with
// [Service.For]. It is safe for concurrent use.
type Service struct {
	providers map[string]provider // by id in lower case
	names     []string            // ids in the order of the configuration
	models    *models.Service
	vault     *vault.Service
	tokens    *managedvault.Service // of connections by OAuth; nil when there is none
	accounts  *account.Service
	events    *event.Bus
	getenv    func(name string) string
	limits    limits.Limits
	clock     effect.Source
	http      *http.Client // to token servers
	log       *slog.Logger
	gates     *gates
	instances connector.Instances[Connector]
}

// provider is a connector with the name it is configured by.
type provider struct {
	id   string
	conn Connector
}

func build(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
	s := &Service{
		providers: make(map[string]provider, len(in.Order)), names: in.Order, events: env.Events, getenv: env.Variable,
		limits: env.Bounds(), clock: env.Effects, gates: newGates(env.Effects), instances: in, http: env.HTTP, log: env.Log,
	}
	s.models, _ = connector.Find(env.Services, models.Kind)
	s.vault, _ = connector.Find(env.Services, vault.Kind)
	s.tokens, _ = connector.Find(env.Services, managedvault.Kind)
	s.accounts, _ = connector.Find(env.Services, account.Kind)
	for _, id := range in.Order {
		key := strings.ToLower(id)
		if other, taken := s.providers[key]; taken {
			return nil, fault.Newf(fault.Invalid, "the ids %q and %q of LLM differ only in case", other.id, id)
		}
		s.providers[key] = provider{id, in.ByID[id]}
	}
	return s, nil
}

// For binds the service to a candidate. A nil Service gives a Handle whose operations are refused.
func (s *Service) For(c access.Candidate) *Handle { return &Handle{service: s, candidate: c} }

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

// clockOf returns the clock, also of a service that is not there.
func (s *Service) clockOf() effect.Source {
	if s == nil || s.clock == nil {
		return effect.System{}
	}
	return s.clock
}

// provider returns the connector of a provider by name; upper and lower case make no difference.
func (s *Service) provider(name string) (provider, bool) {
	name = strings.ToLower(name)
	p, ok := s.providers[name]
	if !ok {
		p, ok = s.providers[strings.ReplaceAll(name, "-", "")] // openai-compatible
	}
	return p, ok
}
