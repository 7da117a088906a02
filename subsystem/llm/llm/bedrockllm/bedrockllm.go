// Package bedrockllm asks models in Amazon Bedrock through the Converse interface.
//
// The official SDK writes, signs and reads; everything else is decided here and above. Who is asked as comes from the
// credential of the model and from nowhere else: no file, no variable of the environment and no metadata service of a
// machine is looked at, because they are the operator's and the caller is a tenant. Requests leave through the door of the
// runtime, and a key that is bound to hosts signs nothing that is sent elsewhere.
package bedrockllm

import (
	"bytes"
	"context"
	"io"
	"iter"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/models"
)

type settings struct {
	Region  string `json:"region" doc:"Region of models that name none, such as us-east-1."`
	BaseURL string `json:"baseURL" doc:"Address of the interface, that of the region when empty; a model may name another one."`
}

// Definition describes the connector.
var Definition = connector.Define(llm.Kind, "Bedrock", "Asks models in Amazon Bedrock.",
	func(_ context.Context, env connector.Env, s settings) (llm.Connector, error) {
		return &client{env: env, settings: s}, nil
	})

type client struct {
	env      connector.Env
	settings settings
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
	ctx = limits.WithRequestTime(ctx, c.env.Bounds().ModelTime)
	ctx, service, err := c.service(ctx, call)
	if err != nil {
		return err
	}
	r, err := newRequest(call)
	if err != nil {
		return err
	}
	if call.Partial && (r.tools == nil || !cannot(call, "supportsStreamingToolUse")) {
		return c.stream(ctx, service, call, r, yield)
	}
	answer, err := service.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: &call.Target.ModelID, Messages: r.messages, System: r.system, InferenceConfig: r.inference, ToolConfig: r.tools,
		AdditionalModelRequestFields: r.extra,
	})
	if err != nil {
		return c.explain(ctx, err)
	}
	return whole(answer, yield)
}

// service returns the client of the SDK for one call, and the context that fills the stand-in of a bearer key.
func (c *client) service(ctx context.Context, call *llm.Call) (context.Context, *bedrockruntime.Client, error) {
	region, err := c.region(call)
	if err != nil {
		return ctx, nil, err
	}
	if c.env.HTTP == nil {
		return ctx, nil, fault.Newf(fault.Unsupported, "there is no way to the network")
	}
	door := *c.env.HTTP
	door.CheckRedirect = stay
	out := &way{http: &door}
	opts := bedrockruntime.Options{Region: region, HTTPClient: out, Retryer: aws.NopRetryer{}, DisableClockSkewCorrection: true}
	if base, own := c.address(&call.Target); base != "" {
		opts.BaseEndpoint = &base
		if !own {
			ctx = llm.Reach(ctx, &call.Target, base)
		}
	}
	id, key := call.Credential.Field(llm.FieldAccessKey), call.Credential.Field(llm.FieldSecretKey)
	var only func(*bedrockruntime.Options) // the SDK would take a key of the operator's environment otherwise
	switch bearerKey := call.Credential.Optional(); {
	case !id.IsZero() && !key.IsZero():
		session := call.Credential.Field(llm.FieldSessionToken)
		out.keys = []secret.Value{id, key, session}
		opts.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id.Reveal(), SecretAccessKey: key.Reveal(), SessionToken: session.Reveal()}, nil
		})
		only = func(o *bedrockruntime.Options) {
			o.BearerAuthTokenProvider, o.AuthSchemePreference, o.APIOptions = nil, []string{"sigv4"}, nil
		}
	case !bearerKey.IsZero():
		slots := secret.NewSlots(c.env.Effects.NewID())
		ctx = secret.WithSlots(ctx, slots)
		standIn := slots.Put(bearerKey)
		only = func(o *bedrockruntime.Options) {
			o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: standIn}}
			o.BearerAuthSigner = header{}
			o.AuthSchemePreference, o.APIOptions = []string{"httpBearerAuth"}, nil
		}
	default:
		return ctx, nil, noKey()
	}
	return ctx, bedrockruntime.New(opts, only), nil
}

// address returns the address that a model, or else the operator, names instead of that of the region, and whether it is
// a team's or a caller's.
func (c *client) address(m *models.Model) (base string, own bool) {
	if m.BaseURL != "" {
		return m.BaseURL, m.TeamOwn
	}
	if base := m.Settings.GetString("apiEndpoint"); base != "" {
		return base, m.TeamOwn
	}
	return c.settings.BaseURL, false
}

// region returns where the model runs: as the model says, or its credential, or the operator. It becomes a part of a host
// name, so it may hold nothing that ends one.
func (c *client) region(call *llm.Call) (string, error) {
	region := call.Target.Settings.GetString("region")
	if region == "" {
		region = call.Credential.Field("region").Reveal()
	}
	if region == "" {
		region = c.settings.Region
	}
	if region == "" {
		err := fault.Newf(fault.Invalid, "the region of model %q is not known", call.Target.ID)
		return "", fault.Hint(err, "set region in the settings of the model, such as us-east-1, or in those of the connector Bedrock")
	}
	for _, r := range region {
		if r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return "", fault.Hint(fault.Newf(fault.Invalid, "%q is no region", region), "regions are written like us-east-1")
		}
	}
	return region, nil
}

// noKey is the error of a call without a credential.
func noKey() error {
	return &fault.Error{
		Kind: fault.Unauthenticated, Code: llm.CodeNoKey, Err: fault.Newf(fault.Unauthenticated, "there is no key for Bedrock"),
		Hint: "store an access key id and its secret in the vault, under the names that keyIDName and secretKeyName in the settings of the model give, or an API key of Bedrock under the name bedrock",
	}
}

// way is the way out of one call. Keys that are bound to hosts are checked here, before what they signed is sent.
type way struct {
	http *http.Client
	keys []secret.Value
}

// Do implements the client that the SDK wants.
func (w *way) Do(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	for _, k := range w.keys {
		if !k.IsZero() && !k.MayGoTo(host) {
			err := fault.Newf(fault.Denied, "the key of the model may not be used for %s", host)
			return nil, fault.Hint(err, "bind the key to this host as well, or correct the address of the model")
		}
	}
	r, err := ownBody(r)
	if err != nil {
		return nil, err
	}
	return w.http.Do(r)
}

// ownBody returns a request with a body of its own. The SDK closes the one it made as soon as there is an answer, while the
// transport may still look for its end: the connection would be given up in the middle of the answer.
func ownBody(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	data, err := io.ReadAll(r.Body) // it lies in memory already
	if err != nil {
		return nil, fault.New(fault.Internal, err)
	}
	own := r.WithContext(r.Context())
	own.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	own.Body, own.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return own, nil
}

// stay follows no redirect: the signature is for one address, and the provider sends none.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// header puts a bearer key into its header, whatever the scheme of the address: the door to the network decides that.
type header struct{}

// SignWithBearerToken implements [bearer.Signer].
func (header) SignWithBearerToken(_ context.Context, token bearer.Token, message bearer.Message) (bearer.Message, error) {
	r, ok := message.(*smithyhttp.Request)
	if !ok {
		return nil, fault.Newf(fault.Internal, "the SDK signs a %T", message)
	}
	signed := r.Clone()
	signed.Header.Set("Authorization", "Bearer "+token.Value)
	return signed, nil
}

var (
	_ llm.Connector = (*client)(nil)
	_ bearer.Signer = header{}
)
