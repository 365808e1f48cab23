// The life of a session, through clients that oapi-codegen makes of the documents.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"

	"keyturn.test/clients/cdi"
	"keyturn.test/clients/native"
)

type object = map[string]any

func main() {
	ctx, baseURL, apiKey := context.Background(), os.Args[1], os.Args[2]
	runNative(ctx, baseURL, apiKey)
	runCdi(ctx, baseURL, apiKey)
	fmt.Println("both clients ran the life of a session")
}

// check ends the program unless a condition holds.
func check(holds bool, what string, found any) {
	if !holds {
		panic(fmt.Sprintf("%s: %+v", what, found))
	}
}

// must returns a response, or ends the program if there is none.
func must[Response any](response Response, err error) Response {
	check(err == nil, "no response", err)
	return response
}

func runNative(ctx context.Context, baseURL, apiKey string) {
	bearer := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+apiKey)
		return nil
	}
	client := must(native.NewClientWithResponses(baseURL, native.WithRequestEditorFn(bearer)))

	created := must(client.CreateSessionWithResponse(ctx, native.CreateSessionJSONRequestBody{
		UserId: "ada", JwtPayload: &native.JwtPayload{"role": "x"}, SessionInfo: &native.JsonObject{"a": 1},
	}))
	pair := created.JSON201
	check(pair != nil, "create", created.Status())
	handle := pair.Handle

	session := must(client.ReadSessionWithResponse(ctx, handle)).JSON200
	check(session != nil && session.UserId == "ada" && session.JwtPayload["role"] == "x", "read", session)
	check(session.SessionInfoVersion == 0 && session.Ip == nil, "read", session)
	limit := int32(5)
	page := must(client.ListSessionsWithResponse(ctx, &native.ListSessionsParams{UserId: "ada", Limit: &limit})).JSON200
	check(page != nil && page.Next == nil, "list", page)
	check(len(page.Sessions) == 1 && page.Sessions[0].Handle == handle, "list", page)

	version := int64(0)
	changed := must(client.UpdateSessionWithResponse(ctx, handle, native.UpdateSessionJSONRequestBody{
		JwtPayload: &native.JwtPayload{"role": "y"}, AccessToken: &pair.AccessToken,
		MergeSessionInfo: &native.JsonObject{"b": 2}, SessionInfoVersion: &version,
	}))
	check(changed.JSON200 != nil && changed.JSON200.AccessToken != pair.AccessToken, "update", changed.Status())
	conflict := must(client.UpdateSessionWithResponse(ctx, handle, native.UpdateSessionJSONRequestBody{
		SessionInfo: &native.JsonObject{}, SessionInfoVersion: &version,
	}))
	check(conflict.JSON409 != nil && conflict.JSON409.Error == native.ErrorCodeConflict, "conflict", conflict.Status())

	refresh := func(token string) *native.RefreshSessionResponse {
		return must(client.RefreshSessionWithResponse(ctx, native.RefreshSessionJSONRequestBody{RefreshToken: token}))
	}
	introspect := func(token string) *native.TokenState {
		body := native.IntrospectFormdataRequestBody{Token: token}
		return must(client.IntrospectWithFormdataBodyWithResponse(ctx, body)).JSON200
	}
	refreshed := refresh(pair.RefreshToken).JSON200
	check(refreshed != nil, "refresh", refreshed)
	state := introspect(refreshed.AccessToken)
	check(state != nil && state.Active && *state.Sub == "ada" && (*state.Payload)["role"] == "y", "introspect", state)
	again := must(client.ReauthenticateSessionWithResponse(ctx, handle, native.ReauthenticateSessionJSONRequestBody{
		AccessToken: refreshed.AccessToken,
	})).JSON200
	check(again != nil && again.Handle == handle, "reauthenticate", again)

	keys := must(client.ReadKeysWithResponse(ctx)).JSON200
	check(keys != nil && len(keys.Keys) > 0, "keys", keys)
	revocation := native.RevokeSessionsOfUserJSONRequestBody{UserId: "ada"}
	revoked := must(client.RevokeSessionsOfUserWithResponse(ctx, revocation)).JSON200
	check(revoked != nil && slices.Equal(revoked.Revoked, []string{handle}), "revoke", revoked)
	gone := must(client.ReadSessionWithResponse(ctx, handle)).JSON404
	check(gone != nil && gone.Error == native.ErrorCodeNotFound, "read what is revoked", gone)
	refused := refresh(again.RefreshToken).JSON401
	check(refused != nil && refused.Error == native.RefreshErrorErrorUnauthorized, "refresh what is revoked", refused)
	ended := introspect(refreshed.AccessToken)
	check(ended != nil && !ended.Active && ended.Sub == nil, "introspect what is revoked", ended)
}

func runCdi(ctx context.Context, baseURL, apiKey string) {
	header := func(_ context.Context, request *http.Request) error {
		request.Header.Set("api-key", apiKey)
		return nil
	}
	client := must(cdi.NewClientWithResponses(baseURL, cdi.WithRequestEditorFn(header)))

	created := must(client.CreateSessionWithResponse(ctx, nil, cdi.NewSession{
		UserId: "grace", UserDataInJWT: object{"role": "x"}, UserDataInDatabase: object{"a": 1},
	}))
	pair := created.JSON200
	check(pair != nil && pair.Session != nil, "create", created.Status())
	handle := pair.Session.Handle

	verify := func(token string) *cdi.Verified {
		body := cdi.Verification{AccessToken: token, CheckDatabase: true}
		return must(client.VerifySessionWithResponse(ctx, nil, body)).JSON200
	}
	verified := verify(pair.AccessToken.Token)
	check(verified != nil && verified.Status == cdi.VerifiedStatusOK, "verify", verified)
	check(verified.Session.UserId == "grace", "verify", verified)
	done := must(client.SetPayloadWithResponse(ctx, nil, cdi.NewPayload{
		SessionHandle: handle, UserDataInJWT: object{"role": "y"},
	})).JSON200
	check(done != nil && done.Status == cdi.DoneStatusOK, "set the payload", done)
	refreshed := must(client.RefreshSessionWithResponse(ctx, nil, cdi.Refresh{
		RefreshToken: pair.RefreshToken.Token, UseDynamicSigningKey: true,
	})).JSON200
	check(refreshed != nil && refreshed.Status == cdi.RefreshedStatusOK, "refresh", refreshed)
	check((*refreshed.Session.UserDataInJWT)["role"] == "y", "refresh", refreshed)
	data := must(client.GetSessionDataWithResponse(ctx, &cdi.GetSessionDataParams{SessionHandle: handle})).JSON200
	check(data != nil && (*data.UserDataInDatabase)["a"] == 1.0, "read the data", data)
	listed := must(client.GetSessionsOfUserWithResponse(ctx, &cdi.GetSessionsOfUserParams{UserId: "grace"})).JSON200
	check(listed != nil && slices.Equal(*listed.SessionHandles, []string{handle}), "list", listed)
	var removal cdi.Removal
	check(removal.FromRemovalOfUser(cdi.RemovalOfUser{UserId: "grace"}) == nil, "the body of a removal", removal)
	removed := must(client.RemoveSessionsWithResponse(ctx, nil, removal)).JSON200
	check(removed != nil && slices.Equal(*removed.SessionHandlesRevoked, []string{handle}), "remove", removed)
	refused := verify(refreshed.AccessToken.Token)
	check(refused != nil && refused.Status == cdi.VerifiedStatusUNAUTHORISED, "verify what is removed", refused)
}
