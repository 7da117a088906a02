// Package plugins holds components that let a model use the tools of other people's services: those that an OpenAPI
// document describes, and those of an MCP server.
//
// What such a service says about itself and answers is data for the model and nothing else. Requests to it carry no
// credential of the agent.
package plugins

import (
	"context"
	"errors"
	"net/url"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// Definitions returns the component types of this family.
func Definitions() []component.Definition {
	read := &shelf{}
	return []component.Definition{openAPI("OpenAPI", read), openAPI("GPTPlugin", read), mcpClient()}
}

// fill puts inputs and variables into a text of the author.
func fill(text string, in component.Input) (string, error) {
	return template.Compile(text).Expand(in.Lookup, template.Options{})
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// failed says which component a failure came through and keeps its kind. What a provider of models said stands in its
// own words.
func failed(what string, err error) error {
	shown := err
	if said := (*llm.ProviderError)(nil); errors.As(err, &said) {
		shown = said
	}
	return fault.Newf(fault.KindOf(err), "Error on running %s!\n%w", what, shown)
}

// address is a check that a setting is the address of something in the web.
func address(setting string) func(value.Value) []schema.Violation {
	return func(settings value.Value) []schema.Violation {
		if u, err := url.Parse(settings.GetString(setting)); err != nil || u.Scheme == "" || u.Host == "" {
			return []schema.Violation{{Name: setting, Message: `"` + setting + `" must be a valid uri`}}
		}
		return nil
	}
}

// converse holds a conversation, with a log around it, and returns what the model has said.
func converse(ctx context.Context, call *component.Call, header string, t component.Talk) (string, error) {
	if call.Logs() {
		call.LogDebug("=== " + header + " ===")
		call.LogDebug("Model: " + t.Model + "\nPrompt: " + t.Prompt)
	}
	text, err := call.Host.Converse(ctx, call, t)
	if err != nil {
		if call.Logs() {
			call.LogError(err.Error())
		}
		return "", err
	}
	if call.Logs() {
		call.LogDebug("Response: " + text)
	}
	return text, nil
}
