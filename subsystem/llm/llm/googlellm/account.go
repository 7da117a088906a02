package googlellm

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// account is a service account of Google Cloud, or an access token that somebody else got.
type account struct {
	text    secret.Value // JSON of the key file, empty when there is a token
	token   secret.Value
	project string
}

// tokenAddress is where tokens come from.
const tokenAddress = "https://oauth2.googleapis.com/token"

// scope is what a token is good for.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// readAccount reads a credential: the key file of a service account, in a field of its own or as the key itself, or an
// access token.
func readAccount(cred llm.Credential) (*account, error) {
	text := cred.Field(llm.FieldAccount)
	if text.IsZero() {
		text = cred.Optional()
	}
	if token := cred.Field("accessToken"); !token.IsZero() {
		return &account{token: token}, nil
	}
	if text.IsZero() {
		return nil, &fault.Error{
			Kind: fault.Unauthenticated, Code: llm.CodeNoKey, Err: fault.Newf(fault.Unauthenticated, "there is no key for Vertex AI"),
			Hint: "sre vault set vertexai, with the JSON key file of a service account, or name a key by jsonCredentialsName in the settings of the model",
		}
	}
	if !strings.HasPrefix(strings.TrimSpace(text.Reveal()), "{") {
		return &account{token: text}, nil
	}
	v, err := value.Decode(text.Reveal(), value.Limits{Bytes: 64 << 10})
	if err != nil {
		return nil, badAccount()
	}
	return &account{text: text, project: v.GetString("project_id")}, nil
}

func badAccount() error {
	err := fault.Newf(fault.Unauthenticated, "the key of the service account cannot be read")
	return fault.Hint(err, "store the whole JSON key file in the vault, as Google Cloud gave it")
}

// tokens are access tokens by what they were got for. They are the secrets of whoever holds the account, and found by
// nobody else.
type tokens struct {
	mu    sync.Mutex
	byKey map[[sha256.Size]byte]token
}

type token struct {
	text  secret.Value
	until time.Time
}

const (
	maxTokens = 1000
	early     = 2 * time.Minute // before its end a token is not used any more
)

func newTokens() *tokens { return &tokens{byKey: map[[sha256.Size]byte]token{}} }

// token returns an access token of an account: the last one, or a new one.
func (c *client) token(ctx context.Context, a *account) (secret.Value, error) {
	if !a.token.IsZero() {
		return a.token, nil
	}
	key := sha256.Sum256([]byte(a.text.Reveal()))
	now := c.env.Effects.Now()
	c.tokens.mu.Lock()
	known, ok := c.tokens.byKey[key]
	c.tokens.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.text.For(a.text.Hosts()...), nil // bound as the account is bound by this caller's vault
	}
	fresh, err := c.exchange(ctx, a.text, now)
	if err != nil {
		return secret.Value{}, err
	}
	c.env.Secrets.Note(access.ActingOf(ctx).Team, fresh.text)
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	if len(c.tokens.byKey) >= maxTokens {
		clear(c.tokens.byKey) // they can be got again
	}
	c.tokens.byKey[key] = fresh
	return fresh.text.For(a.text.Hosts()...), nil
}

// exchange gets a token for a statement that the account signs, see
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest.
func (c *client) exchange(ctx context.Context, text secret.Value, now time.Time) (token, error) {
	assertion, err := sign(text, now)
	if err != nil {
		return token{}, err
	}
	slots := secret.NewSlots(c.env.Effects.NewID())
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {slots.Put(assertion)}}
	way := llm.Rest{HTTP: c.env.HTTP, Clock: c.env.Effects}
	way.Refused = func(status int, body value.Value) llm.Refusal {
		r := llm.Refusal{Message: refusal(body).Message}
		if status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
			r.Kind, r.Hint = fault.Unauthenticated, "the service account was refused: check its key in the vault, and the clock of this machine"
		}
		return r
	}
	ctx = secret.WithSlots(ctx, slots)
	answer, err := way.Send(ctx, http.MethodPost, tokenAddress, nil, "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return token{}, err
	}
	v, err := way.Whole(ctx, answer)
	if err != nil {
		return token{}, err
	}
	got := v.GetString("access_token")
	if got == "" {
		return token{}, fault.Newf(fault.Unavailable, "the provider sent no access token")
	}
	life := time.Duration(min(whole(v.Get("expires_in")), 24*60*60)) * time.Second
	return token{secret.New(got), now.Add(life - early)}, nil
}

// sign makes the statement that an account wants a token. It is bound to the hosts of the account's key.
func sign(text secret.Value, now time.Time) (secret.Value, error) {
	v, err := value.Decode(text.Reveal(), value.Limits{Bytes: 64 << 10})
	if err != nil {
		return secret.Value{}, badAccount()
	}
	block, _ := pem.Decode([]byte(v.GetString("private_key")))
	if block == nil || v.GetString("client_email") == "" {
		return secret.Value{}, badAccount()
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return secret.Value{}, badAccount()
	}
	head := value.Obj(value.M("alg", value.Of("RS256")), value.M("typ", value.Of("JWT")), value.M("kid", value.Of(v.GetString("private_key_id"))))
	claims := value.Obj(
		value.M("iss", value.Of(v.GetString("client_email"))), value.M("scope", value.Of(scope)), value.M("aud", value.Of(tokenAddress)),
		value.M("iat", value.OfInt(int(now.Unix()))), value.M("exp", value.OfInt(int(now.Add(time.Hour).Unix()))),
	)
	encode := base64.RawURLEncoding.EncodeToString
	unsigned := encode(head.Append(nil)) + "." + encode(claims.Append(nil))
	digest := sha256.Sum256([]byte(unsigned))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]) // this way of signing takes no chance
	if err != nil {
		return secret.Value{}, badAccount()
	}
	return secret.New(unsigned + "." + encode(signature)).For(text.Hosts()...), nil
}
