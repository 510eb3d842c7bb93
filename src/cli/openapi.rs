//! `synkro openapi`

use super::print;

pub(super) fn run() {
    print(api::openapi_json().trim_end());
}
