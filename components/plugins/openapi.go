package plugins

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/apispec"
	"github.com/sre-go/sre/value"
)

type openAPISettings struct {
	SpecURL     string `json:"specUrl" sre:"required,max=2048" doc:"Address of the OpenAPI document, JSON or YAML."`
	Description string `json:"descForModel" sre:"required,allowEmpty,max=5000,template" doc:"What the model is told to do; empty for the description in the document."`
	Name        string `json:"name" sre:"required,allowEmpty" doc:"Kept for editors: name of the service."`
	Desc        string `json:"desc" sre:"required,allowEmpty" doc:"Kept for editors: description of the service."`
	Model       string `json:"model" label:"Model" sre:"allowEmpty,null" doc:"Model that uses the service."`
	OldModel    string `json:"openAiModel" label:"Model" sre:"allowEmpty,null" doc:"Older name of model."`
	LogoURL     string `json:"logoUrl" sre:"allowEmpty,null" doc:"Kept for editors: picture of the service."`
	ID          string `json:"id" sre:"allowEmpty,null" doc:"Kept for editors: id of the service as the editor lists it."`
	Version     string `json:"version" sre:"allowEmpty,null" doc:"Kept for editors: version of the service."`
	Domain      string `json:"domain" sre:"allowEmpty,null" doc:"Kept for editors: domain of the service."`
}

func openAPI(name string, read *shelf) component.Definition {
	return component.Define(component.Spec{
		Name:    name,
		Summary: "Lets a model use a service that an OpenAPI document describes.",
		Doc: "Each operation of the document is a tool for the model. Requests go to the servers that the document names, without credentials of the agent, " +
			"and only where the egress policy lets them. References are followed inside of the document only. " +
			"The document is read once a run.",
		Category: component.Agents,
		Inputs: []component.Port{
			{Name: "Prompt", Doc: "What to ask.", Optional: true},
			{Name: "Query", Doc: "Older name of Prompt.", Optional: true},
		},
		Outputs: []component.Port{{Name: "Output", Doc: "What the model has said."}},
	}, func(ctx context.Context, call *component.Call, s *openAPISettings, in component.Input) (value.Value, error) {
		return runOpenAPI(ctx, call, s, in, read)
	}).WithCheck(address("specUrl"))
}

func runOpenAPI(ctx context.Context, call *component.Call, s *openAPISettings, in component.Input, read *shelf) (value.Value, error) {
	if s.SpecURL == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "Please provide a Open API Specification URL!")
	}
	prompt := first(in.Get("Prompt").Plain(), in.Get("Query").Plain())
	if prompt == "" {
		return value.Value{}, fault.Newf(fault.Invalid, "Please provide a prompt")
	}
	system, err := fill(s.Description, in)
	if err != nil {
		return value.Value{}, failed("Open API", err)
	}
	doc, err := read.document(ctx, call, s.SpecURL)
	if err != nil {
		return value.Value{}, failed("Open API", err)
	}
	talk := component.Talk{Model: first(s.Model, s.OldModel), Assistant: doc.Title, System: first(system, doc.Description), Prompt: prompt}
	for i := range doc.Operations {
		talk.Tools = append(talk.Tools, tool(call, &doc.Operations[i]))
	}
	text, err := converse(ctx, call, "Open API Log", talk)
	if err != nil {
		return value.Value{}, failed("Open API", err)
	}
	return value.Obj(value.M("Output", value.Of(text))), nil
}

// tool lets a model ask for an operation.
func tool(call *component.Call, op *apispec.Operation) component.Tool {
	return component.Tool{
		Name: op.Name, Description: op.Description, Parameters: op.Parameters,
		Do: func(ctx context.Context, u component.ToolUse) (value.Value, error) {
			req, err := op.Request(ctx, u.Args)
			if err != nil {
				return value.Value{}, err
			}
			for _, m := range u.Headers.Members() {
				req.Header.Set(m.Key, m.Value.Text())
			}
			return ask(call, req)
		},
	}
}

// ask sends a request and returns what was answered, whatever the status: the model is to know of it.
func ask(call *component.Call, req *http.Request) (value.Value, error) {
	status, text, err := send(call, req)
	switch {
	case err != nil:
		return value.Value{}, err
	case len(text) == 0 && status >= 400:
		return value.Value{}, fault.Newf(fault.Unavailable, "the service answered with status %d %s", status, http.StatusText(status))
	}
	if v, err := value.Decode(text, value.DefaultLimits()); err == nil {
		return v, nil
	}
	return value.Of(string(text)), nil
}

func send(call *component.Call, req *http.Request) (int, []byte, error) {
	res, err := call.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	text, err := io.ReadAll(res.Body) // the door bounds it
	if closing := res.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return 0, nil, fault.New(fault.KindOf(err), fmt.Errorf("reading the answer: %w", err))
	}
	return res.StatusCode, text, nil
}
