// Package vectordb keeps texts by what they mean: they are cut into chunks, each chunk becomes a vector, and a search finds
// the chunks whose vectors lie nearest to that of a query.
//
// Texts lie in namespaces. A namespace belongs to the candidate it was made for: to an agent or a user alone, or to a team
// and so to all its members, and it is reached by nobody else. What a candidate may reach follows from whose the
// namespace is; nothing that is stored can widen it.
//
// A namespace remembers the model that makes its vectors, because vectors of two models cannot be compared. The service
// asks the model, as the candidate and within its budgets; connectors keep vectors and compare them.
package vectordb

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/security/account"
)

// Kind is the service of vectors.
var Kind = &connector.Kind[Connector, *Service]{
	Name:      "VectorDB",
	Subsystem: "io",
	Summary:   "Keeps texts and finds them by meaning.",
	Requires:  []connector.AnyKind{account.Kind, llm.Kind},
	Build: func(env connector.Env, in connector.Instances[Connector]) (*Service, error) {
		models := connector.Service(env.Services, llm.Kind)
		embed := func(ctx context.Context, c access.Candidate, req llm.EmbedRequest) (llm.Embeddings, error) {
			return models.For(c).Embed(ctx, req)
		}
		return New(env, in, connector.Service(env.Services, account.Kind), embed), nil
	},
}

// EmbedFunc asks a model for vectors on behalf of a candidate.
type EmbedFunc func(ctx context.Context, c access.Candidate, req llm.EmbedRequest) (llm.Embeddings, error)

// Service is the service over one connector. It has no operations: they need a candidate, see [Service.For].
// It is safe for concurrent use.
type Service struct {
	id        string
	conn      Connector
	embed     EmbedFunc
	directory access.Directory
	guard     *access.Guard // nil without a connector
	effects   effect.Source
	all       map[string]*Service // by the id of the connector
	instances connector.Instances[Connector]
}

// New makes the service over its connectors. directory knows the teams; without one everybody is refused. A runtime gets
// its service from [Kind]; New is for tests and for programs without a kernel.
func New(env connector.Env, in connector.Instances[Connector], directory access.Directory, embed EmbedFunc) *Service {
	all := make(map[string]*Service, len(in.ByID))
	for id, conn := range in.ByID {
		all[id] = &Service{
			id: id, conn: conn, embed: embed, directory: directory, guard: env.Guard(directory), effects: env.Effects,
			all: all, instances: in,
		}
	}
	if s := all[in.Default]; s != nil {
		return s
	}
	return &Service{all: all, instances: in}
}

// For binds the service to a candidate, for the namespaces of its own. A nil Service gives a Handle whose operations are
// refused.
func (s *Service) For(c access.Candidate) *Handle { return &Handle{service: s, candidate: c} }

// On returns the service over another configured connector.
func (s *Service) On(id string) (*Service, error) {
	if s != nil {
		if other, ok := s.all[id]; ok {
			return other, nil
		}
	}
	return nil, fault.Newf(fault.NotFound, "no vector database with the id %q is configured", id)
}

// Close closes the connectors that were opened with settings of their own.
func (s *Service) Close(ctx context.Context) error { return s.instances.Close(ctx) }

func (s *Service) ready() bool { return s != nil && s.conn != nil }
