// Package agevault keeps the secrets of teams in an encrypted file.
//
// The content is that of a JSON vault, sealed in the format of age by a key pair
// or a passphrase. Without the right key nothing starts and nothing is written: a
// wrong key, a damaged file and a file that others may read are told apart, and
// none of them ever looks like an empty vault.
package agevault

import (
	"context"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/internal/sealed"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// Settings of the connector.
type Settings struct {
	File          string   `json:"file" default:"vault.age" doc:"The encrypted file: a name below the data folder, or an absolute path. sre vault init makes it."`
	KeyFile       string   `json:"keyFile" sre:"allowEmpty" default:"vault.key" doc:"File of the key, readable by its owner only: a name below the data folder, or an absolute path."`
	KeyEnv        string   `json:"keyEnv" sre:"allowEmpty" default:"SRE_VAULT_KEY" doc:"Variable of the environment that holds the key or the passphrase. When it is set, the file of the key is not read."`
	Shared        string   `json:"shared" sre:"allowEmpty" doc:"Team whose keys every team may read. Without it no keys are shared."`
	OperatorTeams []string `json:"operatorTeams" doc:"Teams whose entries the operator writes, so that they may hold $env(NAME). The shared team is one of them."`
	Env           []string `json:"env" default:"OPENAI_API_KEY,ANTHROPIC_API_KEY,GOOGLE_AI_API_KEY,TOGETHER_AI_API_KEY,GROQ_API_KEY,XAI_API_KEY,PERPLEXITY_API_KEY" doc:"Variables of the environment that entries of the operator may name."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(vault.Kind, "EncryptedFileVault", "Secrets of teams in a file encrypted with age.", open).
	WithDoc("`sre vault init` makes the file and its key, `sre vault set`, `list`, `get`, `import` and `rotate` work on it, and the program " +
		"age opens it with the same key. The key comes from the variable that `keyEnv` names, else from `keyFile`, else the program may " +
		"ask at its terminal. With a wrong key, a damaged file, or a file or key that others may read, the runtime does not start " +
		"(CONFIG_UNSAFE). While it runs, such a file is reported and what was last good stays. " +
		"A change of the file counts after a second at the latest.")

func open(ctx context.Context, env connector.Env, s Settings) (vault.Connector, error) {
	refs, err := vaultfile.NewReferences(env, s.Shared, s.OperatorTeams, s.Env)
	if err != nil {
		return nil, err
	}
	source := &sealed.Source{Getenv: env.Variable, Variable: s.KeyEnv, Ask: env.Ask}
	if s.KeyFile != "" {
		source.File = sealed.PlaceOf(env.Dir, s.KeyFile)
	}
	keys := func() (sealed.Keys, error) {
		k, _, err := source.Keys(context.WithoutCancel(ctx))
		return k, err
	}
	v, err := vaultfile.Open(ctx, vaultfile.Config{
		Place: livefile.At(env.Dir, s.File, vaultfile.Limit()), Codec: sealed.NewCodec(keys), Private: true,
		Shared: s.Shared, Refs: refs, Effects: env.Effects, Log: env.Log,
	})
	if fault.Is(err, fault.NotFound) {
		return nil, &fault.Error{
			Kind: fault.Invalid, Code: vaultfile.CodeUnsafe, Err: err, Hint: "put the vault file back, or make a new one: sre vault init",
		}
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}
