//! The OpenAPI document, made from the route table; the checked-in copy is `docs/openapi.json`.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::routes::{Access, ROUTES, Route, Takes};

/// The document, for any issuer (`servers` is relative).
pub fn document() -> Value {
    let mut generator = schemars::generate::SchemaSettings::openapi3().into_generator();
    let mut paths = Map::new();
    for route in ROUTES {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.verb.as_str().to_lowercase()] = operation(route, &mut generator);
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Signs people and services in, issues short-lived access tokens and rotating refresh tokens.",
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "client": { "type": "http", "scheme": "basic", "description": "A client's id and secret." },
                "signin": { "type": "apiKey", "in": "cookie", "name": "__Host-signin" },
            },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({ "summary": route.summary, "responses": responses(route, generator) });
    let mut parameters: Vec<Value> = path_parameters(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    match route.takes {
        Takes::Nothing => {}
        Takes::Json(schema) => {
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": schema(generator) } } });
        }
        Takes::Form(names) => {
            let properties: Map<String, Value> =
                names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
            let schema = json!({ "type": "object", "properties": properties });
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": schema } } });
        }
        Takes::Query(names) => parameters
            .extend(names.iter().map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }))),
    }
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    match route.access {
        Access::Public | Access::Credential => {}
        Access::Reader => operation["security"] = json!([{}, { "client": [] }]),
        Access::SignedIn => operation["security"] = json!([{ "bearer": [] }, { "signin": [] }]),
        Access::Admin => operation["security"] = json!([{ "bearer": [] }]),
        Access::Local => operation["description"] = json!("Answered on the Unix socket in the data folder only."),
    }
    operation
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let problem = json!({ "description": "See /docs/errors for each code." });
    match route.answers {
        None => json!({ "2XX": { "description": "Done" }, "default": problem }),
        Some(schema) => {
            let content = json!({ "application/json": { "schema": schema(generator) } });
            json!({ "200": { "description": "Done", "content": content }, "default": problem })
        }
    }
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}
