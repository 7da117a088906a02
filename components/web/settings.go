package web

import (
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

type apiCallSettings struct {
	Method      string      `json:"method" label:"Method" sre:"required,enum=GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS" doc:"Method of the request."`
	URL         string      `json:"url" label:"URL" sre:"required,max=8192,template" doc:"Address, with {{placeholders}} for inputs, agent variables and {{KEY(name)}} of the vault. What has no value is left out."`
	Headers     value.Value `json:"headers" label:"Headers" sre:"template" doc:"Headers as an object, or as text that holds one. Names and values may have placeholders."`
	ContentType string      `json:"contentType" label:"Content-Type" sre:"enum=none|application/json|multipart/form-data|binary|application/x-www-form-urlencoded|text/plain|application/xml" doc:"How the body is written. With none it is sent as it stands, with keys of the vault filled in but no inputs."`
	Body        value.Value `json:"body" label:"Body" sre:"template" doc:"Body, with placeholders. For multipart/form-data an object whose members are the fields; for binary the placeholder of a file."`
	Proxy       string      `json:"proxy" label:"Proxy" sre:"allowEmpty,null,template" doc:"Proxies to go through, one a line, such as http://user:password@host:port (also https and socks5); one of them is picked for each request."`
	Timeout     float64     `json:"timeout" label:"Timeout" sre:"min=0,max=3600" doc:"Seconds until the answer has to be complete; 0 for the limit request_time, which counts in any case."`

	TemplateVars     value.Value `json:"_templateVars" doc:"Values of the typed placeholders of a templated component, by their ids." sre:"advanced"`
	TemplateSettings value.Value `json:"_templateSettings" doc:"Kept for editors." sre:"advanced"`

	OAuthService         string       `json:"oauthService" sre:"allowEmpty,null" doc:"Name of the service whose OAuth tokens are sent along, such as Google; oauth2_client_credentials for tokens without a user; None for none."`
	OAuthConnection      string       `json:"oauth_con_id" sre:"allowEmpty,null" doc:"Name of the tokens in the managed vault; OAUTH_<component id>_TOKENS when it is empty."`
	Scope                string       `json:"scope" sre:"allowEmpty,null,advanced" doc:"OAuth scopes to ask for, separated by spaces."`
	AuthorizationURL     string       `json:"authorizationURL" sre:"allowEmpty,null,advanced" doc:"Where users of OAuth 2.0 allow the access."`
	TokenURL             string       `json:"tokenURL" sre:"allowEmpty,null,advanced" doc:"Where OAuth 2.0 tokens come from."`
	ClientID             string       `json:"clientID" sre:"allowEmpty,null,advanced,template" doc:"OAuth 2.0 client. {{KEY(name)}} takes it from the vault."`
	ClientSecret         secret.Value `json:"clientSecret" sre:"allowEmpty,null,advanced,template" doc:"Secret of the OAuth 2.0 client. {{KEY(name)}} takes it from the vault."`
	OAuth2CallbackURL    string       `json:"oauth2CallbackURL" sre:"allowEmpty,null,advanced" doc:"Kept for editors; sre oauth connect has an address of its own."`
	CallbackURL          string       `json:"callbackURL" sre:"allowEmpty,null,advanced" doc:"Kept for editors."`
	RequestTokenURL      string       `json:"requestTokenURL" sre:"allowEmpty,null,advanced" doc:"Where OAuth 1.0a begins."`
	AccessTokenURL       string       `json:"accessTokenURL" sre:"allowEmpty,null,advanced" doc:"Where OAuth 1.0a tokens come from."`
	UserAuthorizationURL string       `json:"userAuthorizationURL" sre:"allowEmpty,null,advanced" doc:"Where users of OAuth 1.0a allow the access."`
	ConsumerKey          string       `json:"consumerKey" sre:"allowEmpty,null,advanced,template" doc:"OAuth 1.0a client. {{KEY(name)}} takes it from the vault."`
	ConsumerSecret       secret.Value `json:"consumerSecret" sre:"allowEmpty,null,advanced,template" doc:"Secret of the OAuth 1.0a client. {{KEY(name)}} takes it from the vault."`
	OAuth1CallbackURL    string       `json:"oauth1CallbackURL" sre:"allowEmpty,null,advanced" doc:"Kept for editors."`
	Authenticate         string       `json:"authenticate" sre:"allowEmpty,null,advanced" doc:"Kept for editors."`
}

func apiCallType() component.Definition {
	return component.Define(component.Spec{
		Name:    "APICall",
		Summary: "Calls an HTTP service.",
		Doc: "The answer is read by its content type: JSON becomes a value, text a text, and anything else a file that is stored. " +
			"A status outside of 200 to 299 sets `_error` and still gives `Response` and `Headers`.\n\n" +
			"Values are put in as they are and never read for placeholders. Keys of the vault reach the hosts that they are bound to and no others.",
		Category: component.Functions,
		Inputs:   []component.Port{{Name: "Input", Doc: "For the placeholders; any others may be added.", Optional: true}},
		Outputs: []component.Port{
			{Name: "Headers", Type: "Object", Doc: "Headers of the answer, with names in lower case."},
			{Name: "Response", Doc: "The answer."},
		},
	}, runAPICall)
}
