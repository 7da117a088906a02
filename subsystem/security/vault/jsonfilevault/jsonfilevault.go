// Package jsonfilevault keeps the secrets of teams in a JSON file.
//
// The file holds {"<team>": {"<key>": "<secret>"}} in the clear and is read again
// when it has changed. It is the vault of the reference, closed where that one is
// open: no team's keys are shared unless the operator names the team, a secret can
// be bound to hosts, and a value refers to the environment only where the operator
// wrote it and only to variables that the operator has listed.
package jsonfilevault

import (
	"context"
	"path/filepath"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// Settings of the connector.
type Settings struct {
	File          string   `json:"file" sre:"allowEmpty" doc:"File of the secrets: a name below the data folder, or an absolute path. Without it, the first that exists of vault.json, vault/vault.json and .sre/vault.json."`
	FileKey       string   `json:"fileKey" sre:"allowEmpty" doc:"File of an RSA private key in PEM, for a vault file that is base64 of RSA-OAEP. Such a vault is for reading."`
	Shared        string   `json:"shared" sre:"allowEmpty" doc:"Team whose keys every team may read. Without it no keys are shared."`
	OperatorTeams []string `json:"operatorTeams" doc:"Teams whose entries the operator writes, so that they may hold $env(NAME). The shared team is one of them."`
	Env           []string `json:"env" default:"OPENAI_API_KEY,ANTHROPIC_API_KEY,GOOGLE_AI_API_KEY,TOGETHER_AI_API_KEY,GROQ_API_KEY,XAI_API_KEY,PERPLEXITY_API_KEY" doc:"Variables of the environment that entries of the operator may name."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(vault.Kind, "JSONFileVault", "Secrets of teams in a JSON file.", open).
	WithDoc("The file holds `{\"<team>\": {\"<key>\": \"<secret>\"}}`. An entry that is `{\"value\": \"<secret>\", \"hosts\": [\"api.example.com\"]}` " +
		"is sent to these hosts only. A key that the team lacks is looked up in the team that " +
		"`shared` names. `$env(NAME)` in an entry of the operator is replaced by the variable when `env` lists it and it is set; " +
		"everywhere else the text stays as it is. A change of the file counts after a second at the latest; a file that cannot " +
		"be read is reported, and what was last good stays. A file that others may read is reported. " +
		"The secrets lie in the clear: `EncryptedFileVault` seals them.")

func open(ctx context.Context, env connector.Env, s Settings) (vault.Connector, error) {
	refs, err := vaultfile.NewReferences(env, s.Shared, s.OperatorTeams, s.Env)
	if err != nil {
		return nil, err
	}
	codec, err := codecOf(env, s.FileKey)
	if err != nil {
		return nil, err
	}
	v, err := vaultfile.Open(ctx, vaultfile.Config{
		Place: livefile.At(env.Dir, s.File, vaultfile.Limit(), "vault.json", "vault/vault.json", ".sre/vault.json"),
		Codec: codec, Optional: s.File == "" && codec == nil, Shared: s.Shared, Refs: refs, Effects: env.Effects, Log: env.Log,
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// maxKeyFile bounds the file of a private key, in bytes.
const maxKeyFile = 64 << 10

// codecOf returns how the file is opened, nil for one in the clear.
func codecOf(env connector.Env, keyFile string) (vaultfile.Codec, error) {
	if keyFile == "" {
		return nil, nil
	}
	if !filepath.IsAbs(keyFile) {
		keyFile = filepath.Join(env.Dir, keyFile)
	}
	text, err := disk.ReadFile(keyFile, maxKeyFile)
	if err != nil {
		return nil, fault.Hint(err, "name the private key of the vault in the setting fileKey")
	}
	defer clear(text)
	return vaultfile.NewRSACodec(text)
}
