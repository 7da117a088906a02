// Package jsonfilevault reads the secrets of teams from a JSON file.
//
// The file holds {"<team>": {"<key>": "<secret>"}} and is read again when it has
// changed. It is the vault of the reference, closed where that one is open: no
// team's keys are shared unless the operator names the team, and a value refers
// to the environment only where the operator wrote it and only to variables that
// the operator has listed.
package jsonfilevault

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// Settings of the connector.
type Settings struct {
	File          string   `json:"file" sre:"allowEmpty" doc:"File of the secrets: a name below the data folder, or an absolute path. Without it, the first that exists of vault.json, vault/vault.json and .sre/vault.json."`
	Shared        string   `json:"shared" sre:"allowEmpty" doc:"Team whose keys every team may read. Without it no keys are shared."`
	OperatorTeams []string `json:"operatorTeams" doc:"Teams whose entries the operator writes, so that they may hold $env(NAME). The shared team is one of them."`
	Env           []string `json:"env" default:"OPENAI_API_KEY,ANTHROPIC_API_KEY,GOOGLE_AI_API_KEY,TOGETHER_AI_API_KEY,GROQ_API_KEY,XAI_API_KEY,PERPLEXITY_API_KEY" doc:"Variables of the environment that entries of the operator may name."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(vault.Kind, "JSONFileVault", "Secrets of teams in a JSON file.", open).
	WithDoc("The file holds `{\"<team>\": {\"<key>\": \"<secret>\"}}`. A key that the team lacks is looked up in the team that " +
		"`shared` names. `$env(NAME)` in an entry of the operator is replaced by the variable when `env` lists it and it is set; " +
		"everywhere else the text stays as it is. A change of the file counts after a second at the latest; a file that cannot " +
		"be read refuses every key.")

type secrets struct {
	file   *livefile.File[*content]
	shared string
	refs   references
}

var (
	_ vault.Connector   = (*secrets)(nil)
	_ connector.Checker = (*secrets)(nil)
)

func open(ctx context.Context, env connector.Env, s Settings) (vault.Connector, error) {
	refs, err := newReferences(env, s)
	if err != nil {
		return nil, err
	}
	place := livefile.At(env.Dir, s.File, int64(limits.Default().JSONBytes), "vault.json", "vault/vault.json", ".sre/vault.json")
	read := func() ([]byte, error) {
		text, err := place.Read()
		if s.File == "" && fault.Is(err, fault.NotFound) {
			return []byte("{}"), nil // no vault yet: it holds nothing
		}
		return text, err
	}
	v := &secrets{file: livefile.New(env.Effects, read, parse), shared: s.Shared, refs: refs}
	if _, err := v.file.Get(ctx); err != nil {
		return nil, fault.Hint(err, "mend the vault file, or name another one in the setting file")
	}
	return v, nil
}

// content is the vault for other operations: what goes wrong here is never "this key does not exist".
func (v *secrets) content(ctx context.Context) (*content, error) {
	c, err := v.file.Get(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Code: fault.CodeOf(err), Err: err, Hint: "mend the vault file"}
	}
	return c, err
}

// Check reports whether the file can be read and understood.
func (v *secrets) Check(ctx context.Context) error {
	_, err := v.content(ctx)
	return err
}

// ACL lets a team read its keys, the shared ones and its list.
func (v *secrets) ACL(ctx context.Context, resource string) (*access.ACL, error) {
	c, err := v.content(ctx)
	if err != nil {
		return nil, err
	}
	team, key := vault.Split(resource)
	if key != "" {
		if _, _, ok := c.find(team, v.shared, key); !ok {
			return nil, nil
		}
	}
	return c.acl(team)
}

// Get returns the entry of the team, else the shared one, with its references resolved where it may have some.
func (v *secrets) Get(ctx context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	c, err := v.content(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	team, key := vault.Split(g.Resource())
	text, owner, ok := c.find(team, v.shared, key)
	if !ok {
		return secret.Value{}, fault.Newf(fault.NotFound, "no such key")
	}
	return secret.New(v.refs.resolve(owner, text)), nil
}

// List returns the keys of the team; of a team that the file does not name, the shared ones.
func (v *secrets) List(ctx context.Context, g access.Grant[access.Read]) ([]string, error) {
	c, err := v.content(ctx)
	if err != nil {
		return nil, err
	}
	team, _ := vault.Split(g.Resource())
	return c.keys(team, v.shared), nil
}
