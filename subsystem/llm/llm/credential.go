package llm

import (
	"context"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// Credential is what a provider is shown. The zero Credential is none.
type Credential struct {
	fields    map[string]secret.Value
	own       bool
	renewable bool  // another one can be had when this one is refused
	missing   error // why there is none
}

// Names of the fields that more than one provider has.
const (
	FieldKey          = "apiKey"
	FieldAccessKey    = "accessKeyId"
	FieldSecretKey    = "secretAccessKey"
	FieldSessionToken = "sessionToken"
	FieldAccount      = "serviceAccount" // JSON text
)

// Key returns the key of the provider. Without one the error is [fault.Unauthenticated] with the code [CodeNoKey] and
// says where to put it; connectors whose provider needs none do not ask.
func (c Credential) Key() (secret.Value, error) {
	if k := c.fields[FieldKey]; !k.IsZero() {
		return k, nil
	}
	if c.missing != nil {
		return secret.Value{}, c.missing
	}
	return secret.Value{}, &fault.Error{Kind: fault.Unauthenticated, Code: CodeNoKey, Err: errNoKey, Hint: "the credentials of the model name no key"}
}

// Optional returns the key of the provider, empty when there is none.
func (c Credential) Optional() secret.Value { return c.fields[FieldKey] }

// Field returns a part of a credential that has several, empty when it has not that one.
func (c Credential) Field(name string) secret.Value { return c.fields[name] }

// Own reports whether the credential belongs to the caller's team: what is used is then not the operator's to pay.
func (c Credential) Own() bool { return c.own }

var errNoKey = fault.Newf(fault.Unauthenticated, "there is no key for the provider")

// Modes of credentials.
const (
	modeNone     = "none"
	modeInternal = "internal" // the operator's, from the environment
	modeVault    = "vault"
	modeBedrock  = "bedrock_vault"
	modeVertex   = "vertexai_vault"
	modeOAuth    = "oauth:" // and the name of a connection
)

// credential finds what a model is to be called with: the first of its modes that has something. refused is an access token
// that the provider did not take, empty for none.
func (h *Handle) credential(ctx context.Context, m *models.Model, refused secret.Value) (Credential, error) {
	if m.Credentials.IsObject() {
		c := Credential{fields: map[string]secret.Value{}, own: m.TeamOwn}
		err := h.expandObject(ctx, "", m.Credentials, &c)
		return c, err
	}
	var unconnected error
	for _, mode := range modes(m.Credentials) {
		c, err := h.mode(ctx, mode, m, refused)
		if err != nil || c.fields != nil {
			return c, err
		}
		if unconnected == nil {
			unconnected = c.missing
		}
	}
	if unconnected != nil {
		return Credential{}, unconnected // a model that is asked by a connection is not asked without
	}
	return Credential{missing: &fault.Error{
		Kind: fault.Unauthenticated, Code: CodeNoKey, Err: fault.Newf(fault.Unauthenticated, "there is no key for %s", m.Provider), Hint: h.advice(m),
	}}, nil
}

// modes reads the credentials of a model that are no object.
func modes(v value.Value) []string {
	if s, ok := v.Str(); ok && s != "" {
		return []string{s}
	}
	var list []string
	for _, it := range v.Items() {
		if s, ok := it.Str(); ok {
			list = append(list, s)
		}
	}
	if list == nil {
		return []string{modeVault, modeInternal}
	}
	return list
}

// mode tries one mode. A credential without fields and an error is that there is nothing.
func (h *Handle) mode(ctx context.Context, mode string, m *models.Model, refused secret.Value) (Credential, error) {
	if connection, ok := strings.CutPrefix(mode, modeOAuth); ok {
		return h.connected(ctx, connection, refused)
	}
	switch mode {
	case modeNone:
		return Credential{fields: map[string]secret.Value{FieldKey: {}}}, nil
	case modeInternal:
		if elsewhere(m) {
			return Credential{}, nil // the operator's key goes to no address that a tenant chose
		}
		if text := h.service.getenv(environment(m.Provider)); text != "" {
			return Credential{fields: map[string]secret.Value{FieldKey: secret.New(text)}}, nil
		}
		return Credential{}, nil
	case modeVault:
		return h.fromVault(ctx, map[string]string{FieldKey: vaultKey(m.Provider)}, FieldKey)
	case modeBedrock:
		return h.fromVault(ctx, map[string]string{
			FieldAccessKey: m.Settings.GetString("keyIDName"), FieldSecretKey: m.Settings.GetString("secretKeyName"),
			FieldSessionToken: m.Settings.GetString("sessionKeyName"),
		}, FieldAccessKey, FieldSecretKey)
	case modeVertex:
		return h.fromVault(ctx, map[string]string{FieldAccount: m.Settings.GetString("jsonCredentialsName")}, FieldAccount)
	}
	err := fault.Newf(fault.Invalid, "model %q has credentials of an unknown mode %q", m.ID, mode)
	return Credential{}, fault.Hint(err, "use none, internal, vault, bedrock_vault, vertexai_vault, oauth:CONNECTION or an object")
}

// elsewhere reports whether a team or a caller, and not the operator, says where the provider is.
func elsewhere(m *models.Model) bool {
	return m.TeamOwn && (m.BaseURL != "" || m.Settings.GetString("apiEndpoint") != "")
}

// fromVault reads keys of the vault into fields. Without all of those that are needed there is nothing.
func (h *Handle) fromVault(ctx context.Context, keys map[string]string, needed ...string) (Credential, error) {
	c := Credential{own: true}
	found := map[string]secret.Value{}
	for field, key := range keys {
		v, err := h.vaultValue(ctx, key)
		if err != nil {
			return c, err
		}
		if !v.IsZero() {
			found[field] = v
		}
	}
	for _, field := range needed {
		if found[field].IsZero() {
			return Credential{}, nil
		}
	}
	c.fields = found
	return c, nil
}

// vaultValue returns a key of the candidate's vault, empty when it is not there. It asks for existence first: a key
// that nobody stored is no attempt at one of somebody else.
func (h *Handle) vaultValue(ctx context.Context, key string) (secret.Value, error) {
	if key == "" || h.service.vault == nil {
		return secret.Value{}, nil
	}
	v := h.service.vault.For(h.candidate)
	there, err := v.Exists(ctx, key)
	switch {
	case fault.Is(err, fault.Denied), fault.Is(err, fault.Unsupported):
		return secret.Value{}, nil // no team, or no vault: there is nothing
	case err != nil || !there:
		return secret.Value{}, err
	}
	got, err := v.Get(ctx, key)
	if fault.Is(err, fault.Denied) {
		return secret.Value{}, nil // taken away meanwhile
	}
	return got, err
}

// vaultKey is the name of a provider's key in a vault.
func vaultKey(provider string) string { return strings.ToLower(provider) }

// environment is the name of the variable with the operator's key of a provider.
func environment(provider string) string {
	switch strings.ToLower(provider) {
	case "googleai":
		return "GOOGLE_AI_API_KEY"
	case "togetherai":
		return "TOGETHER_AI_API_KEY"
	}
	name := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(provider))
	return name + "_API_KEY"
}

// advice says where a key is to be put.
func (h *Handle) advice(m *models.Model) string {
	in := "store the key " + vaultKey(m.Provider) + " in the vault of the team: `sre vault set " + vaultKey(m.Provider) + "`"
	for _, mode := range modes(m.Credentials) {
		if mode == modeInternal && !elsewhere(m) {
			in += ", or set " + environment(m.Provider)
		}
	}
	return in
}
