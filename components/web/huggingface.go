package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// huggingFaceHost is where models are asked: https://huggingface.co/docs/inference-providers/providers/hf-inference.
const huggingFaceHost = "router.huggingface.co"

type huggingFaceSettings struct {
	AccessToken  string      `json:"accessToken" sre:"required,label=Access Token,template" doc:"Token of Hugging Face, such as {{KEY(huggingface)}}, which takes it from the vault."`
	ModelName    string      `json:"modelName" sre:"required,label=Model Name,max=200" doc:"Model, as owner/name."`
	ModelTask    string      `json:"modelTask" sre:"required,label=Model Task,max=100" doc:"What the model does, such as text-classification."`
	Name         string      `json:"name" sre:"allowEmpty,null" doc:"Name of the model for people."`
	DisplayName  string      `json:"displayName" sre:"allowEmpty,null" doc:"Name of the component for people."`
	Description  string      `json:"desc" sre:"allowEmpty,null" doc:"What the model is about."`
	InputConfig  value.Value `json:"inputConfig" doc:"Kept for editors."`
	Parameters   value.Value `json:"parameters" doc:"Parameters of the task, an object or its JSON, with {{placeholders}}."`
	LogoURL      string      `json:"logoUrl" sre:"allowEmpty,null" doc:"Kept for editors."`
	DisableCache value.Value `json:"disableCache" doc:"Ask the model even when the same was asked before."`
}

func huggingFaceType() component.Definition {
	return component.Define(component.Spec{
		Name:    "HuggingFace",
		Summary: "Asks a model at Hugging Face.",
		Doc: "The inputs are those of the task: `Text` for most tasks on text, `Question` and `Context`, `Query` and `Table`, `Source_sentence` and " +
			"`Sentences`, `Image`, `Audio`. What the model makes is a value, or a file.",
		Category: component.Models,
		Outputs:  []component.Port{{Name: "Output", Doc: "What the model answers."}},
	}, runHuggingFace)
}

// Waits before a model that is being loaded is asked again.
func huggingFaceWaits() []time.Duration { return []time.Duration{5 * time.Second, 10 * time.Second} }

func runHuggingFace(ctx context.Context, call *component.Call, s *huggingFaceSettings, in component.Input) (value.Value, error) {
	if call.HTTP == nil {
		return value.Value{}, fault.Newf(fault.Unsupported, "there is no way out to the network")
	}
	call.LogDebug("=== Hugging Face Log ===")
	t := newTexts(call, in, value.Value{})
	ctx = secret.WithSlots(ctx, t.slots)
	out, err := s.ask(ctx, t)
	if err != nil {
		call.LogError(err.Error())
		return value.Value{}, err
	}
	return value.Obj(value.M("Output", out)), nil
}

func (s *huggingFaceSettings) ask(ctx context.Context, t *texts) (value.Value, error) {
	token, err := t.fill(ctx, s.AccessToken)
	switch {
	case err != nil:
		return value.Value{}, err
	case strings.TrimSpace(token) == "":
		return value.Value{}, fault.Hint(fault.Newf(fault.Unauthenticated, "Please provide a valid Hugging Face Access Token"), "set accessToken to {{KEY(huggingface)}} and store the key: `sre vault set huggingface --host %s`", huggingFaceHost)
	}
	b, err := s.body(ctx, t)
	if err != nil {
		return value.Value{}, err
	}
	address := (&url.URL{Scheme: "https", Host: huggingFaceHost, Path: "/hf-inference/models/" + strings.Trim(s.ModelName, "/")}).String()
	for _, wait := range append(huggingFaceWaits(), 0) {
		out, again, err := s.send(ctx, t, address, token, b)
		if err == nil || !again || wait == 0 {
			return out, err
		}
		if err := t.call.Effects.Sleep(ctx, wait); err != nil {
			return value.Value{}, err
		}
	}
	return value.Value{}, nil // not reached: the last wait is 0
}

// body is what is sent: bytes of a file, or JSON.
func (s *huggingFaceSettings) body(ctx context.Context, t *texts) (body, error) {
	inputs, raw, err := taskInputs(ctx, t, s.ModelTask)
	if err != nil || raw != nil {
		return body{data: raw, contentType: "application/octet-stream"}, err
	}
	out := value.Obj(value.M("inputs", inputs))
	parameters := s.Parameters
	if text, ok := parameters.Str(); ok && strings.TrimSpace(text) != "" {
		if parameters, err = value.Parse(text); err != nil {
			return body{}, fault.Newf(fault.Invalid, "parameters is no JSON: %w", err)
		}
	}
	if parameters, err = t.fillAll(ctx, parameters); err != nil {
		return body{}, err
	}
	if p := typed(parameters); p.Len() > 0 {
		out = out.With("parameters", p)
	}
	if s.DisableCache.Truthy() {
		out = out.With("options", value.Obj(value.M("use_cache", value.OfBool(false))))
	}
	return body{data: []byte(out.JSON()), contentType: "application/json"}, nil
}

// typed gives parameters the type that their text has; "none" leaves one out.
func typed(parameters value.Value) value.Value {
	b := value.NewBuilder(parameters.Len())
	for _, m := range parameters.Members() {
		v := m.Value
		if text, ok := v.Str(); ok {
			switch trimmed := strings.TrimSpace(text); strings.ToLower(trimmed) {
			case "", "none":
				continue
			default:
				if parsed, err := value.Parse(trimmed); err == nil && !parsed.IsObject() {
					v = parsed
				}
			}
		}
		b.Set(m.Key, v)
	}
	return b.Build()
}

// send sends once. again is true when the model may answer later.
func (s *huggingFaceSettings) send(ctx context.Context, t *texts, address, token string, b body) (out value.Value, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(b.data))
	if err != nil {
		return value.Value{}, false, fault.New(fault.Invalid, err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", b.contentType)
	res, err := t.call.HTTP.Do(req)
	if err != nil {
		return value.Value{}, fault.Is(err, fault.Unavailable), ofHuggingFace(fault.KindOf(err), troubleText(err))
	}
	out, err = answer(ctx, t, res)
	if err == nil && res.StatusCode >= 200 && res.StatusCode <= 299 {
		return out, false, nil
	}
	text := strconv.Itoa(res.StatusCode) + " " + http.StatusText(res.StatusCode)
	if said := out.Get("error"); said.Truthy() {
		text = said.Plain()
	} else if err != nil {
		text = err.Error()
	}
	again = res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500
	return value.Value{}, again, ofHuggingFace(kindOfStatus(res.StatusCode), text)
}

func ofHuggingFace(kind fault.Kind, text string) error {
	return &fault.Error{Kind: kind, Err: errors.New("Error from Hugging Face: \n" + text)}
}

func kindOfStatus(status int) fault.Kind {
	switch {
	case status == http.StatusUnauthorized:
		return fault.Unauthenticated
	case status == http.StatusForbidden:
		return fault.Denied
	case status == http.StatusNotFound:
		return fault.NotFound
	case status == http.StatusTooManyRequests:
		return fault.RateLimited
	case status >= 500 || status < 400:
		return fault.Unavailable
	}
	return fault.Invalid
}

// unknownTask is the error of a task that there is not.
func unknownTask(task string) error {
	words := strings.Fields(strings.ReplaceAll(task, "-", " "))
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return fault.New(fault.Unsupported, fmt.Errorf("Inference API does not support for this task - %s", strings.Join(words, " "))) //nolint:staticcheck // agents know the words
}
